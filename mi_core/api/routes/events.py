"""Where events come in: PostHog's webhook, and the endpoints of PostHog's SDKs."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from mi_core.api.entry import Entry
from mi_core.api.models.base import Problem
from mi_core.api.models.events import EventsTaken, WebhookHealth
from mi_core.api.paths import CAPTURES, WEBHOOK
from mi_core.api.problems import Refused
from mi_core.api.signatures import Verifier
from mi_core.api.tokens import is_one_of, may
from mi_core.ingest.bodies import json_body, unpacked
from mi_core.ingest.inbox import Delivery
from mi_core.ingest.wire import capture_events, webhook_events

router = APIRouter(tags=["events"])

_WHY = {
    400: "The body or a header can't be read.",
    401: "Nothing proves who sent it.",
    413: "It is too large.",
    422: "None of its events can be taken in.",
    429: "Too many events wait; come again after Retry-After.",
    503: "It can't be stored now; come again after Retry-After.",
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": why} for status, why in _WHY.items()
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": ["object", "array"]}}},
    }
}


async def entry_of(request: Request) -> Entry:
    entry: Entry = request.app.state.entry
    return entry


EntryOf = Annotated[Entry, Depends(entry_of)]


@router.post(
    WEBHOOK,
    summary="Take in events",
    response_model=EventsTaken,
    responses=_ERRORS,
    openapi_extra=_BODY,
)
async def take_webhook(request: Request, entry: EntryOf) -> Response:
    """One event or several, as PostHog's webhook destination sends them; on disk before the 2xx.

    Known by their uuid, and a signed delivery by its webhook-id: to send either again is harmless.
    Where some events of several can't be taken in, the answer says which; the others are.
    """
    body = await request.body()
    verifier: Verifier = request.app.state.verifier
    webhook_id = verifier.check(request.headers, body, datetime.now(UTC))
    text = unpacked(body, encoding=request.headers.get("content-encoding", ""))
    events = webhook_events(json_body(text))
    return _told(await entry.take(Delivery(events, "webhook", webhook_id)))


@router.get(WEBHOOK, summary="How the webhook does", response_model_exclude_none=True)
async def get_webhook_health(request: Request, entry: EntryOf) -> WebhookHealth:
    """Its figures need a token that may read."""
    return await entry.health(with_figures=may(request, "read"))


async def take_capture(request: Request, entry: EntryOf) -> Response:
    """Events as PostHog's SDKs send them to PostHog: JSON, gzip or Base64, one or a batch.

    As there, a request of which no event can be taken in is answered with 200 all the same: an SDK
    would send it again, or give up the good ones beside it.
    """
    query, headers = request.query_params, request.headers
    text = unpacked(
        await request.body(),
        encoding=headers.get("content-encoding", ""),
        content_type=headers.get("content-type", ""),
        compression=query.get("compression", ""),
    )
    now = datetime.now(UTC)
    make_id = request.app.state.keys.event_id
    captured = capture_events(
        json_body(text), make_id=make_id, received_at=now, sent_at=query.get("_")
    )
    known = {query["api_key"]} if "api_key" in query else set()
    _check_keys(captured.keys | known, request)
    try:
        taken = await entry.take(Delivery(captured.events, "capture"))
    except Refused as refused:
        if refused.status != 422:
            raise
        taken = EventsTaken(status="ok", **refused.more)
    return _told(taken)


def _told(taken: EventsTaken) -> Response:
    """As JSON; it is known to fit its model, and there are hundreds a second."""
    return Response(taken.model_dump_json(), media_type="application/json")


def _check_keys(given: frozenset[str] | set[str], request: Request) -> None:
    known: tuple[str, ...] = request.app.state.capture_keys
    if not known and request.app.state.tokens.is_open:
        return
    if not given or not all([is_one_of(each, known) for each in given]):
        raise Refused(401, "The project key (api_key) isn't one of MI_CAPTURE_KEY.")


async def allow_from_anywhere() -> Response:
    """What a browser asks before an SDK sends from another site."""
    allowed = {
        "Access-Control-Allow-Methods": "POST, OPTIONS",
        "Access-Control-Allow-Headers": "*",
        "Access-Control-Max-Age": "86400",
    }
    return Response(status_code=204, headers=allowed)


for _path in CAPTURES:
    router.post(
        _path,
        summary="As PostHog's SDKs send",
        response_model=EventsTaken,
        responses=_ERRORS,
        openapi_extra=_BODY,
    )(take_capture)
    router.post(f"{_path}/", include_in_schema=False)(take_capture)
    for _form in (_path, f"{_path}/"):
        router.options(_form, include_in_schema=False)(allow_from_anywhere)
