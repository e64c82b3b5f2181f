"""Whom the watch tells, of what and when: over real channels on loopback, on both engines."""

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from enrichment_state import module_state as module_state
from enrichment_state import open_state as open_state
from enrichment_state import other_state as other_state
from monitoring_hook import Hook, listening

from mi_core.definitions import load_definitions
from mi_core.errors import SettingsError
from mi_core.ingest.keys import HashKeys
from mi_core.monitoring import notices
from mi_core.monitoring.alerts import channels, send
from mi_core.monitoring.check import Check
from mi_core.monitoring.notices import Seen, Told, message, news_of, notify, record
from mi_core.monitoring.sending import Claim, claimed
from mi_core.settings import load_settings
from mi_core.state import State

RULES = load_definitions().monitoring
KEYS = HashKeys((b"k" * 32,))
NOON = datetime(2024, 7, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def state(module_state: State) -> State:
    with module_state.writing() as transaction:
        for table in ("alert", "alert_change", "alert_notice", "sending"):
            transaction.change(f"delete from {table}")
    return module_state


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as opened:
        yield opened


def check(status: str, name: str = "events", **more: Any) -> Check:
    told = {"value": 50.0, "limit": 48.0, "unit": "hours"} | more
    return Check(name, name.title(), status, sentence="It is so.", what_to_do="Do this.", **told)


def to(hook: Hook, *paths: str) -> Any:
    urls = ",".join(hook.url.replace("http", "json") + path for path in paths or ["/a"])
    return load_settings(alert_urls=urls)


def run(state: State, hook: Hook, at: datetime, *checks: Check, settings: Any = None) -> list[str]:
    """Titles of what was sent by a watch at `at` that found the checks."""
    before = len(hook.posts)
    record(state, checks, as_of=at)
    notify(state, KEYS, settings or to(hook), RULES, checks, as_of=at)
    return [
        post.json["title"].removeprefix("Marketing intelligence: ") for post in hook.posts[before:]
    ]


# --- when


@pytest.mark.parametrize(
    ("status", "well_runs", "told", "hours", "news"),
    [
        ("ok", 5, None, 0, None),
        ("unknown", 0, None, 0, None),
        ("warning", 0, None, 0, "bad"),
        ("alert", 0, "ok", 100, "bad"),
        ("alert", 0, "warning", 1, "worse"),
        ("warning", 0, "alert", 1, None),
        ("warning", 0, "alert", 23, "still"),
        ("alert", 0, "alert", 22.9, None),
        ("alert", 0, "alert", 23, "still"),
        ("unknown", 0, "alert", 100, None),
        ("ok", 1, "alert", 100, None),
        ("ok", 2, "alert", 1, "well"),
        ("ok", 9, "ok", 100, None),
    ],
)
def test_what_is_news_to_whom(
    status: str, well_runs: int, told: str | None, hours: float, news: str | None
):
    found = Seen("events", status, NOON, NOON, well_runs)
    was = Told(told, NOON - timedelta(hours=hours)) if told else None
    assert news_of(found, was, RULES, as_of=NOON) == news


def test_a_bad_day_is_told_of_once_then_daily_then_that_it_is_well(state: State, hook: Hook):
    sent = [run(state, hook, NOON, check("ok"))]
    for hours, status in enumerate(["warning", "warning", "alert", "alert"], start=1):
        sent.append(run(state, hook, NOON + hours * HOUR, check(status)))
    sent.append(run(state, hook, NOON + 26 * HOUR, check("alert")))
    sent.append(run(state, hook, NOON + 27 * HOUR, check("unknown", value=None)))
    # Well for one watch, bad again: nobody hears of it.
    sent.append(run(state, hook, NOON + 28 * HOUR, check("ok")))
    sent.append(run(state, hook, NOON + 29 * HOUR, check("alert")))
    sent.append(run(state, hook, NOON + 30 * HOUR, check("ok")))
    sent.append(run(state, hook, NOON + 31 * HOUR, check("ok")))
    sent.append(run(state, hook, NOON + 32 * HOUR, check("ok")))
    one, warned, well = ["1 alert"], ["1 warning"], ["1 well again"]
    assert sent == [[], warned, [], one, [], one, [], [], [], [], well, []]
    assert [row["status"] for row in changes(state)] == [
        *("ok", "warning", "alert", "unknown", "ok", "alert", "ok"),
    ]


def changes(state: State) -> list[dict[str, Any]]:
    with state.reading() as transaction:
        return transaction.rows("select * from alert_change order by changed_at")


def test_the_state_knows_since_when(state: State):
    for hours, status in enumerate(["ok", "alert", "alert"]):
        record(state, [check(status)], as_of=NOON + hours * HOUR)
    assert notices.seen(state)["events"] == Seen("events", "alert", NOON + HOUR, NOON + 2 * HOUR, 0)
    # A look back changes nothing.
    record(state, [check("ok")], as_of=NOON)
    assert notices.seen(state)["events"].status == "alert"


def test_a_look_back_tells_nobody(state: State, hook: Hook):
    run(state, hook, NOON, check("ok"))
    assert run(state, hook, NOON - DAY, check("alert")) == []


# --- what


def test_one_message_has_all_of_it_the_worst_first():
    checks = [check("ok", "inbox"), check("warning", "budget"), check("alert"), check("alert", "x")]
    news: Any = {"inbox": "well", "budget": "still", "events": "bad", "x": "worse"}
    title, body = message(checks, news)
    assert title == "Marketing intelligence: 2 alerts, 1 warning and 1 well again"
    assert body.split("\n\n") == [
        "Alert – Events. It is so.\nWhat to do: Do this.",
        "Alert, worse than before – X. It is so.\nWhat to do: Do this.",
        "Warning, still – Budget. It is so.\nWhat to do: Do this.",
        "Well again – Inbox. It is so.",
    ]


# --- that it arrives


def test_what_a_channel_did_not_take_it_is_sent_again_and_the_others_are_not(
    state: State, hook: Hook
):
    both = to(hook, "/a", "/b")
    hook.answers = [200, 500]
    record(state, [check("alert")], as_of=NOON)
    first = notify(state, KEYS, both, RULES, [check("alert")], as_of=NOON)
    assert (first.told, first.failed) == ({"json": 1}, ["json"])
    run(state, hook, NOON + HOUR, check("alert"), settings=both)
    assert [post.path for post in hook.posts] == ["/a", "/b", "/b"]
    assert run(state, hook, NOON + 2 * HOUR, check("alert"), settings=both) == []


def test_a_new_channel_hears_of_what_is_bad(state: State, hook: Hook):
    run(state, hook, NOON, check("alert"))
    assert run(state, hook, NOON + HOUR, check("alert"), settings=to(hook, "/a", "/b")) == [
        "1 alert"
    ]
    assert hook.posts[-1].path == "/b"


def test_two_runs_at_once_tell_once(state: State, other_state: State, hook: Hook):
    checks = [check("alert")]
    record(state, checks, as_of=NOON)
    second: list[Any] = []

    def meanwhile() -> None:
        second.append(notify(other_state, KEYS, to(hook), RULES, checks, as_of=NOON))

    def while_the_first_sends() -> None:
        hook.before_answer = None
        thread = threading.Thread(target=meanwhile)
        thread.start()
        thread.join()

    hook.before_answer = while_the_first_sends
    first = notify(state, KEYS, to(hook), RULES, checks, as_of=NOON)
    assert first.told == {"json": 1}
    assert [(each.told, each.failed) for each in second] == [({}, [])]
    assert len(hook.posts) == 1


def test_a_claim_is_one_holders_and_ends_by_itself(state: State, other_state: State):
    with claimed(state, "x") as mine, claimed(other_state, "x") as theirs, claimed(state, "y") as y:
        assert mine
        assert mine.renew()
        assert y
        assert theirs is None
        with state.writing() as transaction:
            past = datetime(2000, 1, 1, tzinfo=UTC)
            transaction.change("update sending set expires_at = :past", past=past)
        with claimed(other_state, "x") as later:
            assert isinstance(later, Claim)
            assert not mine.renew()
    with claimed(state, "x") as again:
        assert again


# --- that nobody hears a secret


def test_an_address_is_kept_secret(hook: Hook, caplog: pytest.LogCaptureFixture, capfd: Any):
    caplog.set_level(logging.DEBUG)
    settings = load_settings(alert_urls=f"{hook.url.replace('http', 'json')}/s3cret?+X-Key=s3cret")
    hook.answers = [500, None]
    for failing in range(2):
        assert send(settings, "title", f"body {failing}") == ["json"]
    assert len(hook.posts) == 2
    assert hook.posts[0].headers["x-key"] == "s3cret"
    printed = capfd.readouterr()
    shown = [caplog.text, printed.out, printed.err, repr(settings), repr(channels(settings))]
    assert [each for each in shown if "s3cret" in each] == []


@pytest.mark.parametrize(
    ("urls", "sentence"),
    [
        (None, "MI_ALERT_URLS isn't set"),
        ("  , ", "MI_ALERT_URLS isn't set"),
        ("json://localhost, slack://s3cret", "address 2, of slack, lacks something"),
        (
            "slak://s3cret/a/b/c",
            "address 1 begins with nothing that Apprise knows, such as slack://,"
            " mailto:// or ntfys://; did you mean slack://?",
        ),
        ("s3cret", "address 1 begins with nothing that Apprise knows"),
    ],
)
def test_an_address_that_can_not_be_read_is_told_by_number_and_kind(urls: Any, sentence: str):
    with pytest.raises(SettingsError) as caught:
        channels(load_settings(alert_urls=urls))
    assert sentence in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_comma_within_an_address_parts_nothing():
    urls = "mailto://u:p@example.com?to=a@example.com,b@example.com,\n ntfys://topic"
    assert [each.schema for each in channels(load_settings(alert_urls=urls))] == ["mailto", "ntfys"]
