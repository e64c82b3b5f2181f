"""Batches for OpenAI as text: one line a call, and the lines that come back as replies.

A batch costs a share of the price. Its answers come in any order, and may be missing.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from mi_core.definitions import OpenAIPrice
from mi_core.enrichment.calls import PersonaAnswer, Reply, Request
from mi_core.enrichment.providers.persona_reply import SERVICE, persona_reply
from mi_core.enrichment.providers.wire import Heard, identifier, turned_down
from mi_core.enrichment.untrusted import json_object, mapping

MOST_LINES = 50_000
ENDPOINT: Final = "/v1/responses"


def batch_file(requests: Mapping[str, Request]) -> bytes:
    """JSON Lines of calls to Responses, by their ids."""
    lines = (
        {"custom_id": call_id, "method": "POST", "url": ENDPOINT, "body": dict(request.body)}
        for call_id, request in requests.items()
    )
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


def batch_replies(
    files: Iterable[bytes],
    call_ids: Collection[str],
    price: OpenAIPrice,
    personas: Collection[str],
) -> dict[str, Reply[PersonaAnswer]]:
    """A reply for each of `call_ids`, from the files of answers and of errors.

    A call without a line was not done, and costs nothing. But where a line can't be read, it may
    be any call's that has none, and nobody knows what that cost.
    """
    lines = [json_object(line) for file in files for line in file.splitlines() if line.strip()]
    replies: dict[str, Reply[PersonaAnswer]] = {}
    for line in filter(None, lines):
        call_id = identifier(line.get("custom_id"))
        if call_id and call_id in call_ids and call_id not in replies:
            replies[call_id] = _reply(line, price, personas)
    missing = _garbled() if None in lines else _not_done()
    return {call_id: replies.get(call_id, missing) for call_id in call_ids}


def _reply(
    line: Mapping[str, Any], price: OpenAIPrice, personas: Collection[str]
) -> Reply[PersonaAnswer]:
    response = mapping(line.get("response"))
    request_id = identifier(response.get("request_id")) or identifier(line.get("id"))
    status, body = response.get("status_code"), mapping(response.get("body"))
    if status == 200:
        return persona_reply(body, price, personas, share=price.batch_share, request_id=request_id)
    if isinstance(status, int):
        headers = {"x-request-id": request_id} if request_id else {}
        return turned_down(SERVICE, Heard(status, headers, json.dumps(body).encode()))
    return Reply("unavailable", 0, error=_NOT_DONE, request_id=request_id)


_NOT_DONE = f"{SERVICE}: the batch ended before this call was made."


def _not_done() -> Reply[PersonaAnswer]:
    return Reply("unavailable", 0, error=_NOT_DONE)


def _garbled() -> Reply[PersonaAnswer]:
    return Reply("invalid", None, error=f"{SERVICE}: a line of the batch can't be read.")
