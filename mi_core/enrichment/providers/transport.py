"""How a question travels: once, within a time, with every way that this can break as an outcome."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any

import httpx
import httpx2
import openai

from mi_core.definitions import ProviderPrice
from mi_core.enrichment.calls import Reply
from mi_core.enrichment.providers.wire import Heard, checked_key

CONNECT_SECONDS = 5.0
"""Short, so that a service that isn't there is told from one that doesn't answer."""

# The openai client has httpx2 under it, the rest is httpx: the same names, twice.
_NOT_SENT = (
    *(httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError),
    *(httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError),
    *(httpx.UnsupportedProtocol, httpx.LocalProtocolError),
    *(httpx2.UnsupportedProtocol, httpx2.LocalProtocolError),
)
_GRACE_SECONDS = 0.25
_NOT_READABLE = (httpx.DecodingError, httpx2.DecodingError)


async def heard(service: str, call: Awaitable[Heard], seconds: float) -> Heard | Reply[Any]:
    """What the service says, or how the call ended without that.

    `seconds` are for the whole call: the clients' own limits begin again with every byte.
    """
    try:
        return await _within(call, seconds)
    except openai.APIStatusError as error:
        response = error.response
        return Heard(response.status_code, _lower(response.headers), _content(response))
    except openai.APIConnectionError as error:
        return _broken(service, error.__cause__ or error)
    except (httpx.HTTPError, httpx2.HTTPError, TimeoutError) as error:
        return _broken(service, error)


async def _within(call: Awaitable[Heard], seconds: float) -> Heard:
    """The call's end, or TimeoutError.

    Where this process stood still, as while it waited for a lock, an answer may be there already,
    paid for and not yet read: so a moment for reading it follows the time.
    """
    asked = asyncio.ensure_future(call)
    try:
        for wait in (seconds, _GRACE_SECONDS):
            done, _ = await asyncio.wait({asked}, timeout=wait)
            if done:
                return asked.result()
        raise TimeoutError
    finally:
        asked.cancel()
        await asyncio.wait({asked})


def _broken(service: str, error: BaseException) -> Reply[Any]:
    if isinstance(error, _NOT_SENT):
        return Reply("unavailable", 0, error=f"{service} can't be reached.")
    if isinstance(error, _NOT_READABLE):
        return Reply("invalid", None, error=f"{service}: the answer can't be read.")
    return Reply("lost", None, error=f"{service} was asked, and no whole answer came.")


def whole(response: httpx.Response | httpx2.Response) -> Heard:
    """A response that was read to its end."""
    return Heard(response.status_code, _lower(response.headers), response.content)


def _content(response: httpx2.Response) -> bytes:
    try:
        return response.content
    except httpx2.ResponseNotRead:
        return b""


def _lower(headers: httpx.Headers | httpx2.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def openai_client(service: str, price: ProviderPrice, key: str) -> openai.AsyncOpenAI:
    """A client of an OpenAI-like service that asks once: a second time would be billed again."""
    return openai.AsyncOpenAI(
        base_url=price.url,
        api_key=checked_key(service, key),
        max_retries=0,
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False),
    )


def plain_client(price: ProviderPrice) -> httpx.AsyncClient:
    """A client whose log has no queries in it: a name is in there."""
    log = logging.getLogger("httpx")
    if _without_query not in log.filters:
        log.addFilter(_without_query)
    timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
    return httpx.AsyncClient(timeout=timeout, follow_redirects=False)


def _without_query(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(
            each.copy_with(query=None) if isinstance(each, httpx.URL) else each
            for each in record.args
        )
    return True
