"""Bodies of events in every shape that PostHog and its SDKs send."""

import base64
import gzip
import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mi_core.errors import BodyTooLarge, UnreadableBody
from mi_core.ingest import bodies, wire
from mi_core.ingest.bodies import json_body, unpacked
from mi_core.ingest.keys import HashKeys
from mi_core.ingest.wire import capture_events, webhook_events

NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)
make_id = HashKeys((b"k" * 32,)).event_id
RECORDED = Path(__file__).parent / "data" / "posthog_capture" / "requests.jsonl"
ID = "01900000-0000-7000-8000-000000000001"
EVENT = {
    "uuid": ID,
    "event": "app_open",
    "distinct_id": "ann",
    "properties": {"plan": "pro"},
    "timestamp": "2024-07-01T11:00:00Z",
}


@pytest.mark.parametrize("line", RECORDED.read_text().splitlines())
def test_recorded_requests_give_the_events_that_posthog_made_of_them(line: str):
    request = json.loads(line)
    query = dict(parse_qsl(urlsplit(request["path"]).query))
    text = unpacked(
        base64.b64decode(request["body"]),
        encoding=request["content_encoding"],
        content_type=request["content_type"],
        compression=query.get("compression", ""),
    )
    received_at = datetime.fromisoformat(request["now"])
    captured = capture_events(
        json_body(text), make_id=make_id, received_at=received_at, sent_at=query.get("_")
    )

    assert captured.keys == {each["token"] for each in request["output"]}
    for event, expected in zip(captured.events, request["output"], strict=True):
        data = json.loads(expected["data"])
        assert event["uuid"] == expected["uuid"]
        assert event["distinct_id"] == expected["distinct_id"]
        assert event["event"] == data["event"]
        sets = {name for name in ("$set", "$set_once") if name in data}
        assert len(event["properties"]) == len(data["properties"].keys() | sets)
        assert event["timestamp"] == told_at(data, expected, received_at)


def told_at(data: Mapping[str, Any], expected: Mapping[str, Any], received_at: datetime) -> str:
    """When an event happened, as PostHog's ingestion works it out."""
    if "offset" in data:
        at = received_at - timedelta(milliseconds=data["offset"])
    else:
        at = datetime.fromisoformat(data["timestamp"])
        if expected["sent_at"]:
            at = received_at - (datetime.fromisoformat(expected["sent_at"]) - at)
    return at.isoformat().replace("+00:00", "Z")


def packed(document: Any) -> dict[str, tuple[bytes, dict[str, str]]]:
    """A document in each packing, with what `unpacked` is told of it."""
    text = json.dumps(document).encode()
    form = {"content_type": "application/x-www-form-urlencoded"}
    return {
        "plain": (text, {}),
        "gzip by header": (gzip.compress(text), {"encoding": "gzip"}),
        "deflate by header": (zlib.compress(text), {"encoding": "deflate"}),
        "gzip by query": (gzip.compress(text), {"compression": "gzip-js"}),
        "gzip unsaid": (gzip.compress(text), {"content_type": "text/plain"}),
        "said but not done": (text, {"compression": "gzip-js"}),
        "base64": (base64.b64encode(text), {"compression": "base64"}),
        "base64 of gzip": (base64.b64encode(gzip.compress(text)), {}),
        "form": (urlencode({"data": base64.b64encode(text)}).encode(), form),
        "form, unescaped": (b"data=" + base64.b64encode(text), form),
        "form of JSON": (urlencode({"data": text, "ip": 1}).encode(), form),
    }


@pytest.mark.parametrize("kind", packed({}))
def test_each_packing_is_undone(kind: str):
    body, told = packed([EVENT, {"é": "~~>>??"}])[kind]

    assert json_body(unpacked(body, **told)) == [EVENT, {"é": "~~>>??"}]


@pytest.mark.parametrize(
    ("body", "told", "problem"),
    [
        (b"", {}, "no JSON"),
        (b"%%%", {}, "neither JSON nor packed"),
        (gzip.compress(b"[]", mtime=0)[:-9], {"encoding": "gzip"}, "cut off"),
        (b"\x1f\x8bnonsense", {}, "damaged"),
        (b"x", {"compression": "lz64"}, "LZ-string"),
        (b"x", {"encoding": "br"}, "Content-Encoding isn't known"),
        (b"data=", {"content_type": "application/x-www-form-urlencoded"}, "no readable field"),
        (b'{"a": NaN}', {}, "no JSON"),
        (b'{"a": "\\ud800"}', {}, "no JSON"),
        (b'{"a": "\xff"}', {}, "no JSON"),
        (b"[" * 100_000, {}, "no JSON"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    body: bytes, told: dict[str, str], problem: str
):
    with pytest.raises(UnreadableBody, match=problem):
        json_body(unpacked(body, **told))


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bodies, "MOST_BYTES", 1000)

    assert len(unpacked(gzip.compress(b"{" + b" " * 998 + b"}"))) == 1000
    with pytest.raises(BodyTooLarge, match="over 1,000 bytes"):
        unpacked(gzip.compress(b"{" + b" " * 999 + b"}"))


OLD = {
    "hook": {"id": "h", "event": "action_performed", "target": "https://example.com"},
    "data": {
        "eventUuid": ID,
        "event": "app_open",
        "teamId": 1,
        "distinctId": "ann",
        "properties": {"plan": "pro"},
        "timestamp": "2024-07-01T11:00:00.000Z",
        "person": {"uuid": "p1", "properties": {"email": "ann@example.com"}},
    },
}
DESTINATION = {
    "event": {**EVENT, "url": "https://example.com"},
    "person": {"id": "p1", "name": "ann", "properties": {"email": "ann@example.com"}},
}


@pytest.mark.parametrize("body", [DESTINATION, OLD, [DESTINATION], {"batch": [OLD]}])
def test_each_shape_of_webhook_is_the_same_event(body: Any):
    [event] = webhook_events(body)

    assert {name: event[name] for name in EVENT} == EVENT
    assert event["person_id"] == "p1"
    assert event["person"]["properties"] == {"email": "ann@example.com"}


@pytest.mark.parametrize("body", [EVENT, [EVENT], {"batch": [EVENT]}, {"events": [EVENT]}])
def test_a_plain_event_has_no_person(body: Any):
    [event] = webhook_events(body)

    assert {name: event[name] for name in EVENT} == EVENT
    assert event["person_id"] is None


def test_a_personless_event_of_a_destination_has_no_person():
    [event] = webhook_events({"event": EVENT})

    assert (event["distinct_id"], event["person_id"]) == ("ann", None)


@pytest.mark.parametrize("body", [{"text": "ann did it"}, {}, 5, None, "event", {"batch": {}}])
def test_what_is_no_event_is_refused(body: Any):
    with pytest.raises(UnreadableBody, match="no event of PostHog"):
        webhook_events(body)


def test_too_many_events_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wire, "MOST_EVENTS", 2)

    assert len(webhook_events([EVENT, EVENT])) == 2
    with pytest.raises(BodyTooLarge, match="3 events; at most 2"):
        webhook_events([EVENT, EVENT, EVENT])


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2024-07-01T11:00:00+02:00", "2024-07-01T09:00:00Z"),
        ("2024-07-01T11:00:00.123456Z", "2024-07-01T11:00:00.123456Z"),
        ("2024-07-01 11:00:00", "2024-07-01T11:00:00Z"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("soon", "soon"),
        (None, None),
        (17, 17),
    ],
)
def test_times_are_in_utc_or_as_they_were(told: object, expected: object):
    assert webhook_events(EVENT | {"timestamp": told})[0]["timestamp"] == expected


def capture_all(body: Any) -> list[Mapping[str, Any]]:
    return capture_events(body, make_id=make_id, received_at=NOW).events


def capture(event: Mapping[str, Any], **body: Any) -> Mapping[str, Any]:
    [found] = capture_events({"batch": [event], **body}, make_id=make_id, received_at=NOW).events
    return found


def test_the_skew_of_the_senders_clock_is_undone():
    late = capture(EVENT, sent_at="2024-07-01T11:30:00Z")
    asked = capture(EVENT | {"properties": {"$ignore_sent_at": True}}, sent_at="2024-07-01T11:30Z")

    assert late["timestamp"] == "2024-07-01T11:30:00Z"
    assert asked["timestamp"] == "2024-07-01T11:00:00Z"


@pytest.mark.parametrize("told", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("sent_at", ["9999-12-31T23:59:59Z", "0001-01-01", NOW.isoformat()])
def test_a_clock_that_is_beyond_all_reason_changes_nothing(told: str, sent_at: str):
    assert capture(EVENT | {"timestamp": told}, sent_at=sent_at)["timestamp"] == told


@pytest.mark.parametrize("properties", ["text", 5, [1], True])
def test_what_are_no_properties_are_none(properties: object):
    event = EVENT | {"properties": properties}

    assert capture(event)["properties"] is None
    assert webhook_events(event)[0]["properties"] is None


def test_a_body_may_not_be_deeper_than_anybody_needs():
    deep: Any = {}
    for _ in range(200):
        deep = {"a": [deep]}

    with pytest.raises(UnreadableBody, match="more than 100 levels"):
        webhook_events(EVENT | {"properties": deep})


@pytest.mark.parametrize("offset", [None, "x", -5, True, 1e300])
def test_an_event_without_a_time_happened_as_it_arrived(offset: object):
    event = {"event": "app_open", "distinct_id": "ann", "offset": offset}

    assert capture(event)["timestamp"] == "2024-07-01T12:00:00Z"


def test_an_event_sent_again_keeps_the_id_that_was_made_for_it():
    plain = {name: value for name, value in EVENT.items() if name != "uuid"}
    twice = [capture(plain)["uuid"] for _ in range(2)]
    elsewhere = capture_all([EVENT, plain])[1]
    guessed = capture_events(plain, make_id=HashKeys((b"o" * 32,)).event_id, received_at=NOW)
    two = capture_events([plain, plain], make_id=make_id, received_at=NOW).events
    untimed = {"event": "app_open", "distinct_id": "ann"}

    assert twice[0] == twice[1] == elsewhere["uuid"]
    assert guessed.events[0]["uuid"] != twice[0]
    assert two[0]["uuid"] != two[1]["uuid"]
    assert capture(plain | {"event": "other"})["uuid"] != twice[0]
    assert capture(untimed)["uuid"] != capture(untimed)["uuid"]


@pytest.mark.parametrize(
    ("told", "expected"), [("ann", "ann"), (5, "5"), (True, None), (None, None), (["a"], None)]
)
def test_ids_are_texts_or_numbers(told: object, expected: str | None):
    inside = {"event": "app_open", "properties": {"distinct_id": told}}

    assert capture({"event": "app_open", "distinct_id": told})["distinct_id"] == expected
    assert capture(inside)["distinct_id"] == expected


def test_what_a_person_is_set_to_is_found_with_the_properties():
    assert capture(EVENT | {"$set": {"email": "a@b.example"}})["properties"] == {
        "plan": "pro",
        "$set": {"email": "a@b.example"},
    }


NAMES = (
    *("event", "batch", "hook", "data", "person", "properties", "timestamp", "offset"),
    *("distinct_id", "distinctId", "uuid", "sent_at", "$set", "token", "x"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_document_gives_events_or_is_refused(document: Any):
    for read in (webhook_events, capture_all):
        try:
            events = read(document)
        except UnreadableBody:
            continue
        assert all(isinstance(each, dict) for each in events)
        json.dumps(events)


@given(st.binary(max_size=200), st.sampled_from(["", "gzip", "deflate"]))
def test_any_bytes_give_a_document_or_are_refused(body: bytes, encoding: str):
    form = "application/x-www-form-urlencoded"
    for each in (body, b"\x1f\x8b" + body, b"data=" + body):
        with suppress(UnreadableBody):
            json_body(unpacked(each, encoding=encoding, content_type=form))
