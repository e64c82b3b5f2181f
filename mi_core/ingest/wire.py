"""Events as PostHog and its SDKs send them, in every shape, as the inbox takes them.

A *webhook* brings events that PostHog has accepted: as its webhook destination sends them (event
and person), plain, several, or as its old action webhooks did (camelCase). A *capture* body is what
an SDK sends to PostHog itself; what PostHog would add is added here: an id, a time, the skew of the
sender's clock.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from mi_core.errors import BodyTooLarge, UnreadableBody

MOST_EVENTS = 10_000
"""In one body."""

_LISTS = ("batch", "events")
_DEEPEST = 100
"""Levels of lists and objects in a body."""
_MOST_SKEW = timedelta(days=1)
"""By which a sender's clock may be wrong; what says more says nothing."""

MakeId = Callable[[str], UUID]
"""Of a text, an id that only who has the workspace's key can make."""

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Captured:
    """The events of a capture body, and the project keys that came with them."""

    events: list[Event]
    keys: frozenset[str]


def webhook_events(document: object) -> list[Event]:
    """The events in the body of a webhook. What is no event stays, for the door to refuse.

    Raises
    ------
    UnreadableBody
        The body is of another kind: PostHog's messages to Slack, say.
    BodyTooLarge
        It has more than MOST_EVENTS events.
    """
    return [_webhook_event(each) for each in _listed(document)]


def capture_events(
    document: object, *, make_id: MakeId, received_at: datetime, sent_at: str | None = None
) -> Captured:
    """The events in the body of an SDK.

    Parameters
    ----------
    sent_at
        When the body was sent by the sender's clock, where the body doesn't say: milliseconds of
        the query's `_`.

    Raises
    ------
    UnreadableBody, BodyTooLarge
        As of `webhook_events`.
    """
    listed = _listed(document)
    head: Event = document if isinstance(document, Mapping) else {}
    skew = _skew(head.get("sent_at") or _of_milliseconds(sent_at), received_at)
    named = (key for each in (head, *listed) for key in _keys(each))
    met: Counter[str] = Counter()
    events = [_capture_event(each, met, make_id, received_at, skew) for each in listed]
    return Captured(events, frozenset(named))


def _listed(document: object) -> list[Any]:
    """The events of a document: its own list, that under a name, or the document itself."""
    found: object = document
    if isinstance(document, Mapping):
        lists = (document[name] for name in _LISTS if isinstance(document.get(name), list))
        found = next(lists, [document] if _is_event(document) else None)
    if not isinstance(found, list):
        raise UnreadableBody(
            "The body is no event of PostHog: it is {event, person}, an event with its name in"
            " 'event', a list of these, or {batch: [...]}."
        )
    if _is_deeper(found, _DEEPEST):
        raise UnreadableBody(f"The body has more than {_DEEPEST} levels of lists and objects.")
    if len(found) > MOST_EVENTS:
        raise BodyTooLarge(
            f"The body has {len(found):,} events; at most {MOST_EVENTS:,} are taken."
        )
    return found


def _is_deeper(document: object, levels: int) -> bool:
    """Whether lists and objects lie in each other for more than `levels`."""
    layer: list[Any] = [document]
    for _ in range(levels):
        inner = [each.values() if isinstance(each, dict) else each for each in layer]
        layer = [x for values in inner for x in values if isinstance(x, dict | list)]
        if not layer:
            return False
    return True


def _is_event(document: Event) -> bool:
    return "event" in document or ("hook" in document and isinstance(document.get("data"), Mapping))


def _webhook_event(document: Any) -> Event:
    if not isinstance(document, Mapping):
        return {}
    person = document.get("person")
    if isinstance(document.get("data"), Mapping) and "hook" in document:
        return _old_event(document["data"])
    if not isinstance(document.get("event"), Mapping):
        return _event(document, person)
    return _event(document["event"], person)


def _old_event(data: Event) -> Event:
    """Of an action webhook: PostHog's inner names, in camelCase."""
    names = {"uuid": "eventUuid", "distinct_id": "distinctId"}
    return _event(
        {**data, **{name: data.get(old, data.get(name)) for name, old in names.items()}},
        data.get("person"),
    )


def _event(event: Event, person: object) -> Event:
    given = person if isinstance(person, Mapping) else {}
    properties = event.get("properties")
    return {
        "uuid": event.get("uuid"),
        "event": event.get("event"),
        "distinct_id": _distinct_id(event),
        "properties": _object(properties),
        "timestamp": _in_utc(event.get("timestamp")),
        "person_id": given.get("id") or given.get("uuid") or event.get("person_id"),
        "person": given,
    }


def _capture_event(
    event: Any,
    met: Counter[str],
    make_id: MakeId,
    received_at: datetime,
    skew: timedelta | None,
) -> Event:
    if not isinstance(event, Mapping):
        return {}
    properties = event.get("properties")
    inner: Event = properties if isinstance(properties, Mapping) else {}
    sets = {name: event[name] for name in ("$set", "$set_once") if name in event}
    told = event.get("timestamp")
    at = _moment(told)
    if at is not None and skew is not None and not inner.get("$ignore_sent_at"):
        at = _later(at, skew)
    elif told is None:
        at = received_at - _offset(event.get("offset"))
    return {
        "uuid": event.get("uuid") or inner.get("$uuid") or str(_made_id(event, met, make_id)),
        "event": event.get("event"),
        "distinct_id": _distinct_id(event),
        "properties": {**inner, **sets} if _object(properties) is not None else None,
        "timestamp": told if at is None else at.isoformat().replace("+00:00", "Z"),
    }


def _made_id(event: Event, met: Counter[str], make_id: MakeId) -> UUID:
    """An id that the same event gets when it is sent again; of one without a time, a new one.

    Of those that are alike in one body, each gets its own.
    """
    if not event.get("timestamp"):
        return uuid4()
    text = json.dumps(event, sort_keys=True)
    met[text] += 1
    return make_id(f"{met[text]} {text}")


def _object(properties: object) -> Event | None:
    """Properties, empty where there are none; None for what are none, which the door refuses."""
    if properties is None:
        return {}
    return properties if isinstance(properties, Mapping) else None


def _later(at: datetime, skew: timedelta) -> datetime:
    try:
        return at + skew
    except OverflowError:
        return at


def _distinct_id(event: Event) -> str | None:
    """Of the event, or of its properties; a number is an id too."""
    properties = event.get("properties")
    inner = properties.get("distinct_id") if isinstance(properties, Mapping) else None
    found = next((each for each in (event.get("distinct_id"), inner) if each is not None), None)
    is_plain = isinstance(found, str | int) and not isinstance(found, bool)
    return str(found) if is_plain else None


def _keys(event: object) -> Iterator[str]:
    if isinstance(event, Mapping):
        inner = event.get("properties")
        for each in (event, inner if isinstance(inner, Mapping) else {}):
            for name in ("api_key", "token"):
                if isinstance(each.get(name), str):
                    yield each[name]


def _moment(told: object) -> datetime | None:
    """The instant that a text says; without a zone it is in UTC, as PostHog takes it."""
    try:
        at = datetime.fromisoformat(told) if isinstance(told, str) else None
        return None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _in_utc(told: object) -> object:
    """A time with its zone, in UTC; what can't be read stays, for the door to refuse."""
    at = _moment(told)
    return told if at is None else at.isoformat().replace("+00:00", "Z")


def _skew(sent_at: object, received_at: datetime) -> timedelta | None:
    """By how much the sender's clock is behind ours."""
    sent = _moment(sent_at)
    skew = None if sent is None else received_at - sent
    return None if skew is None or abs(skew) > _MOST_SKEW else skew


def _of_milliseconds(told: str | None) -> str | None:
    if told is None or not told.isascii() or not told.isdigit() or len(told) > 14:
        return None
    return (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(told))).isoformat()


def _offset(milliseconds: object) -> timedelta:
    """How long before it was sent an event happened, as old SDKs say instead of a time."""
    is_number = isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool)
    if not is_number or not 0 <= milliseconds < 1e12:  # type: ignore[operator]
        return timedelta(0)
    return timedelta(milliseconds=milliseconds)  # type: ignore[arg-type]
