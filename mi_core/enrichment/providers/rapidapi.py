"""Social profiles of a name, by RapidAPI's "Social Links Search": candidates, none verified."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import httpx

from mi_core.definitions import ProviderPrice, micros
from mi_core.enrichment.address import clean_name
from mi_core.enrichment.calls import Reply, Request, SocialAnswer, SocialQuestion
from mi_core.enrichment.providers.transport import heard, plain_client, whole
from mi_core.enrichment.providers.wire import (
    Heard,
    checked_key,
    identifier,
    turned_down,
    unreadable,
)
from mi_core.enrichment.untrusted import json_object, web_address
from mi_core.errors import BadValue

NETWORKS = (
    *("facebook", "tiktok", "instagram", "snapchat", "twitter"),
    *("youtube", "linkedin", "github", "pinterest"),
)
MOST_CANDIDATES = 10
_SERVICE = "RapidAPI"


class SocialLinks:
    """The search by a name and a company's label; an address never goes out."""

    name = "rapidapi"

    def __init__(self, price: ProviderPrice, key: str) -> None:
        self._price = price
        self._headers = {
            "x-rapidapi-key": checked_key(_SERVICE, key),
            "x-rapidapi-host": httpx.URL(price.url).netloc.decode(),
        }
        self._client = plain_client(price)

    def request(self, question: SocialQuestion) -> Request:
        """The search for `question`.

        Raises
        ------
        BadValue
            What is given as a name is none; it isn't repeated.
        """
        body = {"query": _query(question), "social_networks": ",".join(NETWORKS)}
        return Request(body, micros(self._price.per_call_usd))

    async def send(self, request: Request, call_id: str) -> Reply[SocialAnswer]:
        """Search once; whatever comes with status 200 costs the price of a call."""
        said = await heard(_SERVICE, self._get(request, call_id), self._price.timeout_seconds)
        if isinstance(said, Reply):
            return said
        return self._read(said)

    async def close(self) -> None:
        await self._client.aclose()

    async def _get(self, request: Request, call_id: str) -> Heard:
        url = f"{self._price.url}/search-social-links"
        headers = {**self._headers, "x-client-request-id": call_id}
        return whole(await self._client.get(url, params=dict(request.body), headers=headers))

    def _read(self, said: Heard) -> Reply[SocialAnswer]:
        if said.status != 200:
            return turned_down(_SERVICE, said)
        cost = micros(self._price.per_call_usd)
        body = json_object(said.content)
        if body is None or body.get("status") != "OK" or not isinstance(body.get("data"), dict):
            return unreadable(_SERVICE, said, cost)
        request_id = identifier(body.get("request_id")) or said.request_id
        return Reply("ok", cost, SocialAnswer(_candidates(body["data"])), request_id=request_id)


def _query(question: SocialQuestion) -> str:
    """`Jane Roe acme`: the label tells namesakes apart, and people write it in their profiles."""
    # One form of every letter first: an @ has several.
    name = clean_name(unicodedata.normalize("NFKC", question.name))
    if name is None:
        raise BadValue("That is no name to search for.")
    label = (question.company_domain or "").partition(".")[0]
    is_word = label.replace("-", "").isalnum() and label.isascii() and not label.startswith("xn--")
    return f"{name} {label}" if is_word and len(label) <= 40 else name


def _candidates(data: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The addresses by network; of networks that were not asked for, and of no texts, nothing."""
    found = {}
    for network in NETWORKS:
        listed = data.get(network)
        urls = listed[: 2 * MOST_CANDIDATES] if isinstance(listed, list) else []
        addresses = dict.fromkeys(url for each in urls if (url := web_address(each)))
        if addresses:
            found[network] = tuple(addresses)[:MOST_CANDIDATES]
    return found
