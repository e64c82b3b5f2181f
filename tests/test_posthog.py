"""The client of PostHog's query API: every event once, at the allowed pace, or a sentence."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from exports import Event, event
from posthog_fake import KEY, PROJECT, FakePostHog, Fault, fake_posthog

from mi_core.errors import PullError, SettingsError
from mi_core.ingest import posthog
from mi_core.ingest.posthog import PostHog, posthog_of
from mi_core.settings import load_settings

SINCE, UNTIL = datetime(2024, 5, 1), datetime(2024, 5, 3)


@pytest.fixture
def fake() -> Iterator[FakePostHog]:
    with fake_posthog() as running:
        yield running


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, each time; nothing really is."""
    waits: list[float] = []
    monkeypatch.setattr(posthog, "sleep", waits.append)
    monkeypatch.setattr(posthog, "SPACING_SECONDS", 0.0)
    return waits


def at(second: float, number: int = 0) -> Event:
    """An event so many seconds after SINCE; `number` tells apart those of one moment."""
    time = (SINCE + timedelta(seconds=second)).replace(tzinfo=UTC).isoformat()
    made = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{second} {number}"))
    return event() | {"uuid": made, "timestamp": time, "created_at": time}


def pulled(fake: FakePostHog, *, limit: int = 100, told: list[str] | None = None) -> list[str]:
    """The uuids of all pages, in their order."""
    client = PostHog(fake.url, PROJECT, KEY, limit=limit)
    found = []
    for page in client.pages(SINCE, UNTIL, (told if told is not None else []).append):
        found += [re.search('"uuid": "([^"]*)"', row)[1] for row in page.documents]
    assert client.queries == len(fake.asked)
    return found


def in_order(events: list[Event]) -> list[str]:
    return [e["uuid"] for e in sorted(events, key=lambda e: (e["timestamp"], e["uuid"]))]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_ties_at_a_pages_edge_are_pulled_once(fake: FakePostHog, limit: int):
    fake.events = [at(1.5, n) for n in range(7)] + [at(1.500001, n) for n in range(3)]
    fake.events += [at(90_000), at(90_000.000001), at(0)]

    assert pulled(fake, limit=limit) == in_order(fake.events)


def test_a_window_is_half_open(fake: FakePostHog):
    inside = [at(0), at(2 * 86_400 - 0.000001)]
    fake.events = [*inside, at(-0.000001), at(2 * 86_400)]

    assert pulled(fake) == in_order(inside)


def test_an_event_that_is_stored_twice_there(fake: FakePostHog):
    fake.events = [at(1), at(2), at(2), at(2), at(3)]

    assert list(dict.fromkeys(pulled(fake, limit=3))) == in_order([at(1), at(2), at(3)])


def test_posthog_may_give_fewer_than_the_limit(fake: FakePostHog):
    fake.events = [at(n) for n in range(9)]
    fake.most_rows = 4

    assert pulled(fake) == in_order(fake.events)


def test_stretches_get_longer_where_there_is_little(fake: FakePostHog):
    client = PostHog(fake.url, PROJECT, KEY)
    list(client.pages(datetime(2023, 1, 1), UNTIL, print))

    assert client.queries < 25  # 488 days


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, {"retry-after": "17"}),
        Fault(429),
        Fault(408),
        Fault(500),
        Fault(503, {"retry-after": "nonsense"}),
        Fault(504),
        Fault(cut="half"),
        Fault(cut="reset"),
    ],
    ids=lambda f: f"{f.status} {f.cut} {f.headers.get('retry-after')}",
)
def test_what_passes_is_tried_again(fake: FakePostHog, slept: list[float], fault: Fault):
    fake.events = [at(n) for n in range(9)]
    fake.faults = [None, fault, fault]
    told: list[str] = []

    assert pulled(fake, limit=4, told=told) == in_order(fake.events)
    waits = [seconds for seconds in slept if seconds]
    assert len(waits) == len(told) == 2
    if fault.headers.get("retry-after") == "17":
        assert waits == [17, 17]
    else:
        assert 1 <= waits[0] <= 2 <= waits[1] <= 4


def test_a_date_says_when_to_come_back(fake: FakePostHog, slept: list[float]):
    later = datetime.now(UTC) + timedelta(seconds=40)
    fake.faults = [Fault(429, {"retry-after": format_datetime(later, usegmt=True)})]
    pulled(fake)

    assert [38 < seconds <= 40 for seconds in slept if seconds] == [True]


def test_it_gives_up_after_some_tries(fake: FakePostHog):
    fake.faults = [Fault(503)] * 10

    with pytest.raises(PullError, match="PostHog answers 503, at each of 6 tries"):
        pulled(fake)
    assert len(fake.asked) == 6


def test_it_does_not_wait_for_an_hour(fake: FakePostHog, slept: list[float]):
    fake.faults = [Fault(429, {"retry-after": "3000"})]

    with pytest.raises(PullError, match="asks to wait for 50 minutes"):
        pulled(fake)
    assert [seconds for seconds in slept if seconds] == []


def test_nobody_there():
    client = PostHog("http://127.0.0.1:9", PROJECT, KEY)

    with pytest.raises(PullError, match=r"127\.0\.0\.1:9 can't be reached, at each of 6"):
        list(client.pages(SINCE, UNTIL, print))


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault(401), "MI_POSTHOG_API_KEY: make a personal API key"),
        (Fault(403), "may not query project 42: give it the scope"),
        (Fault(404), "no project 42 at .* MI_POSTHOG_PROJECT_ID"),
        (Fault(400, body=b'{"detail": "Unknown  table for phx_only-for-tests."}'), "table for …"),
        (Fault(302, {"location": "http://127.0.0.1:9/"}), "set MI_POSTHOG_HOST to where"),
        (Fault(422), "with status 422"),
    ],
    ids=lambda f: f.status if isinstance(f, Fault) else "",
)
def test_what_will_not_pass_ends_at_once(fake: FakePostHog, fault: Fault, says: str):
    fake.faults = [fault]

    with pytest.raises(PullError, match=says) as caught:
        pulled(fake)
    assert KEY not in str(caught.value)
    assert len(fake.asked) == 1


def test_another_key_or_project(fake: FakePostHog):
    for client in (PostHog(fake.url, PROJECT, "phx_other"), PostHog(fake.url, 43, KEY)):
        with pytest.raises(PullError, match="MI_POSTHOG_"):
            list(client.pages(SINCE, UNTIL, print))
        assert KEY not in repr(client)


def columns_swapped(answer: dict[str, Any]) -> None:
    answer["columns"][1:3] = answer["columns"][2:0:-1]


def shorter_row(answer: dict[str, Any]) -> None:
    answer["results"][1].pop()


def other_order(answer: dict[str, Any]) -> None:
    answer["results"].reverse()


def another_time(answer: dict[str, Any]) -> None:
    answer["results"][-1][5] = "2024-06-01 00:00:00.000000"


def local_time(answer: dict[str, Any]) -> None:
    answer["results"][0][5] = "2024-05-01T00:00:00+02:00"


def no_uuid(answer: dict[str, Any]) -> None:
    answer["results"][0][0] = "' or 1 = 1"


def more_rows(answer: dict[str, Any]) -> None:
    answer["results"] *= 200


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (columns_swapped, "its columns are event_id, sent_by, event_name"),
        (lambda answer: answer.pop("columns"), "its columns are not said"),
        (lambda answer: answer.pop("results"), "no results"),
        (shorter_row, "a row of it hasn't 7 values"),
        (other_order, "not in the order"),
        (another_time, "another time"),
        (local_time, "no time like"),
        (no_uuid, "no uuid"),
        (more_rows, "600 rows, where 100"),
        (lambda answer: answer.update(is_cached=True), "an older answer"),
        (lambda answer: answer.update(error="x"), "the query failed"),
    ],
)
def test_a_page_that_is_not_what_was_asked_for_is_refused(
    fake: FakePostHog, change: Any, says: str
):
    fake.events = [at(n) for n in range(3)]
    fake.faults = [Fault(change=change)]

    with pytest.raises(PullError, match=f"{says}.* Nothing of it was taken"):
        pulled(fake)


def test_large_answers_are_asked_for_in_smaller_pages(
    fake: FakePostHog, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(posthog, "MOST_BYTES", 5_000)
    fake.events = [at(n) for n in range(40)]

    assert pulled(fake, limit=64) == in_order(fake.events)
    assert fake.asked[-1].endswith("limit 16")


def test_slow_queries_look_at_shorter_stretches(fake: FakePostHog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(posthog, "_PATIENCE", 0.2)
    fake.events = [at(n) for n in range(9)]
    fake.faults = [Fault(slow_seconds=0.4)]

    assert pulled(fake) == in_order(fake.events)
    assert "2024-05-01 06:00" in fake.asked[1]


def test_queries_keep_their_distance(
    fake: FakePostHog, slept: list[float], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(posthog, "SPACING_SECONDS", 2.0)
    fake.events = [at(n) for n in range(4)]
    pulled(fake, limit=2)

    assert len(slept) == len(fake.asked)
    assert all(1.5 < seconds <= 2 for seconds in slept[1:])


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "set MI_POSTHOG_PROJECT_ID and MI_POSTHOG_API_KEY"),
        ({"posthog_project_id": 1, "posthog_api_key": " "}, "set MI_POSTHOG_API_KEY:"),
        ({"posthog_project_id": 1, "posthog_api_key": "phc_abc"}, "a project's token"),
        ({"posthog_project_id": 1, "posthog_api_key": "phx secret"}, "no key has"),
        ({"posthog_project_id": "x"}, "MI_POSTHOG_PROJECT_ID is not valid"),
        ({"posthog_host": "http://posthog.example"}, "MI_POSTHOG_HOST is not valid.*like https"),
        ({"posthog_host": "https://eu.i.posthog.com"}, "the API is at eu.posthog.com"),
        ({"posthog_host": "https://us.posthog.com?key=1"}, "a host alone"),
    ],
)
def test_settings_that_do_not_do(settings: dict[str, Any], says: str):
    with pytest.raises(SettingsError, match=says) as caught:
        posthog_of(load_settings(**settings))
    assert "secret" not in str(caught.value)
