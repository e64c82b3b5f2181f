"""What each check says, of rows small enough to hold in the head; and the watch as a whole."""

import json
import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from monitoring_hook import listening
from report_samples import event, intent, magnetism, person, put
from typer.testing import CliRunner

from mi_core.cli import app
from mi_core.definitions import load_definitions
from mi_core.errors import NotDelivered, SettingsError
from mi_core.ingest.classify import classification_version
from mi_core.monitoring import deliveries, leads, messages, shifts
from mi_core.monitoring.check import Check, judged, written
from mi_core.monitoring.looking import Looking
from mi_core.monitoring.status_page import status_page, verdict
from mi_core.workspace import Workspace

AS_OF = datetime(2024, 6, 30, tzinfo=UTC)
RULES = load_definitions().monitoring


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    # As if it had typed them: there is nothing that it could type them from.
    version = classification_version(workspace.definitions)
    with workspace.warehouse.publish("rows of the tests"):
        workspace.warehouse.sql(f"insert into lake.classification values ('{version}')")
    return workspace


def look(shop: Workspace, at: datetime = AS_OF) -> Looking:
    return shop._looking(at)


def put_rows(shop: Workspace, table: str, rows: list[dict[str, Any]]) -> None:
    with shop.warehouse.publish("rows of the tests"):
        put(shop.warehouse, f"lake.{table}", *rows)


def events(number: int, at: str, name: str = "app_open", people: int = 6) -> list[dict[str, Any]]:
    """So many events at a time of 2024, of some people."""
    rows = (event(f"p{n % people}", at, name) for n in range(number))
    return [row | {"event_id": person(f"{at} {name} {n}")} for n, row in enumerate(rows)]


def told(check: Check) -> tuple[str, float | None]:
    return check.status, check.value


@pytest.mark.parametrize(
    ("value", "status"), [(0.9, "ok"), (1, "warning"), (1.9, "warning"), (2, "alert")]
)
def test_a_value_at_its_limit_has_broken_it(value: float, status: str):
    assert judged(value, 1, 2) == status


@pytest.mark.parametrize(
    ("value", "status"), [(0.98, "ok"), (0.97, "warning"), (0.9, "warning"), (0.89, "alert")]
)
def test_where_low_is_bad_one_at_its_limit_holds(value: float, status: str):
    assert judged(value, 0.98, 0.9, low_is_bad=True) == status


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (36.0, "hours", "1.5 days"),
        (0.0, "hours", "none"),
        (0.954, "share", "95%"),
        (0.0123, "dollars", "$0.0123"),
        (0.25, "population stability index", "0.250"),
        (3, "hours of 7 days", "3"),
        (None, "share", "–"),
    ],
)
def test_a_value_is_written_in_its_unit(value: float | None, unit: str, text: str):
    assert written(value, unit) == text


# --- what comes in


def test_the_newest_event_is_fresh_late_or_too_lonely_to_tell(shop: Workspace):
    assert deliveries.newest_event(look(shop)).sentence == "There is no event yet."
    put_rows(shop, "user_event", events(299, "06-27 23:00"))
    few = deliveries.newest_event(look(shop))
    assert told(few) == ("unknown", None)
    assert "too few to say" in few.sentence
    put_rows(shop, "user_event", events(1, "06-28 23:00"))
    late = deliveries.newest_event(look(shop))
    assert told(late) == ("warning", 25)
    assert late.sentence == "The newest event is 1.0 days old; the 28 days up to it have 300."
    assert "mi ingest posthog" in late.what_to_do
    fresh = deliveries.newest_event(look(shop, AS_OF - timedelta(hours=2)))
    assert (*told(fresh), fresh.what_to_do, fresh.limit) == ("ok", 23, "", 24)
    assert told(deliveries.newest_event(look(shop, AS_OF + timedelta(days=1)))) == ("alert", 49)


def test_an_hour_that_always_has_events_is_missed(shop: Workspace):
    assert deliveries.silent_hours(look(shop)).status == "unknown"
    weeks = ("05-29", "06-05", "06-12", "06-19")
    usual = [row for day in weeks for row in events(10, f"{day} 09:30")]
    put_rows(shop, "user_event", [*usual, *events(1, "06-29 20:00")])
    found = deliveries.silent_hours(look(shop))
    assert told(found) == ("warning", 1)
    assert found.sentence == (
        "1 hour of 1 that always have events has none, the first from 26 June 2024, 09:00 UTC on."
    )
    put_rows(shop, "user_event", events(1, "06-26 09:59"))
    assert told(deliveries.silent_hours(look(shop))) == ("ok", 0)


def test_what_the_webhook_misses_is_a_share_of_what_pulls_have(shop: Workspace):
    assert deliveries.webhook_coverage(look(shop)).status == "unknown"
    rows = [
        {
            "event_id": person(f"e{number}"),
            "occurred_at": "2024-06-28 10:00",
            "source": "webhook" if number < 380 else "query",
        }
        for number in range(400)
    ]
    put_rows(shop, "analytics_events", rows)
    again = [row | {"source": "query"} for row in rows if row["source"] == "webhook"]
    put_rows(shop, "event_delivery", again)
    unverified = deliveries.webhook_coverage(look(shop))
    assert "have 0 events of the last 7 days, too few" in unverified.sentence
    put_rows(shop, "pull_window", [{"since": "2024-06-01", "until": "2024-07-01"}])
    assert told(deliveries.webhook_coverage(look(shop))) == ("warning", 0.95)
    # Later weeks know of the webhook, but have nothing to compare.
    assert deliveries.webhook_coverage(look(shop, AS_OF + timedelta(days=14))).status == "unknown"


def test_what_waits_in_the_inbox_is_as_old_as_its_oldest(shop: Workspace):
    assert told(deliveries.inbox(look(shop))) == ("ok", 0)
    with shop.state.writing() as transaction:
        transaction.change(
            "insert into inbox (event_id, received_at, body) values ('a', :at, '{}')",
            at=AS_OF - timedelta(hours=7),
        )
    found = deliveries.inbox(look(shop))
    assert told(found) == ("alert", 7)
    assert found.sentence == "1 event waits in the inbox, the oldest for 7.0 h."


def test_an_unknown_name_is_repeated_where_many_have_it(shop: Workspace):
    assert deliveries.unknown_events(look(shop)).status == "unknown"
    put_rows(
        shop,
        "user_event",
        [
            *events(280, "06-28 10:00"),
            *events(15, "06-28 10:00", "wobble"),
            *events(5, "06-28 10:00", "anna@example.com", people=1),
        ],
    )
    found = deliveries.unknown_events(look(shop))
    assert told(found) == ("warning", 20 / 300)
    assert found.sentence == (
        "7% of the 300 events of the last 7 days have a name that the taxonomy doesn't know:"
        " wobble (15)."
    )


# --- scores


def scorings(shop: Workspace, *days: str, version: str | None = None) -> None:
    known = version or shop.definitions.version
    rows = [{"as_of": f"2024-{day}", "config_version": known, "lake_snapshot": 1} for day in days]
    put_rows(shop, "score_run", rows)


def test_the_newest_scoring_is_fresh_or_not(shop: Workspace):
    assert shifts.newest_scoring(look(shop)).sentence == "There is nobody to score yet."
    put_rows(shop, "user_milestone", [{"user_id": person("a"), "first_event_at": "2024-06-01"}])
    assert "mi score does" in shifts.newest_scoring(look(shop)).sentence
    scorings(shop, "06-28", version="old")
    found = shifts.newest_scoring(look(shop))
    assert told(found) == ("warning", 48)
    assert "of other definitions than those in force" in found.sentence


def scored(shop: Workspace, day: str, scores: list[float], personas: list[str]) -> None:
    """A scoring of as many people, with the same figure for intent and magnetism."""
    scorings(shop, day)
    at = f"2024-{day}"
    rows = [
        intent(f"p{n}", score, "low", persona=personas[n % len(personas)]) | {"as_of": at}
        for n, score in enumerate(scores)
    ]
    put_rows(shop, "user_intent_score", rows)
    drawn = [
        magnetism(f"p{n}", "cold", as_of=day) | {"magnetism_index": score}
        for n, score in enumerate(scores)
    ]
    put_rows(shop, "user_magnetism_index", drawn)


STUDENTS, MIXED = ["student_early_career"], ["automation_pro", *["student_early_career"] * 3]


def spread(seed: int, middle: float, people: int = 400) -> list[float]:
    chance = random.Random(seed)
    return [min(99.0, max(0.0, chance.gauss(middle, 15))) for _ in range(people)]


def test_another_week_of_the_same_people_is_no_drift(shop: Workspace):
    scored(shop, "06-22", spread(1, 40), MIXED)
    scored(shop, "06-29", spread(2, 40), MIXED)
    found = [*shifts.score_drift(look(shop)), shifts.persona_mix(look(shop))]
    assert [check.status for check in found] == ["ok"] * 3
    assert found[0].value == pytest.approx(0.03, abs=0.05)


def test_a_shift_says_where_to(shop: Workspace):
    scored(shop, "06-22", spread(1, 30), [*STUDENTS * 5, "automation_pro"])
    scored(shop, "06-29", spread(2, 50), ["automation_pro", "student_early_career"])
    drawn, attracted = shifts.score_drift(look(shop))
    mix = shifts.persona_mix(look(shop))
    assert (drawn.name, attracted.name) == ("intent_drift", "magnetism_drift")
    assert drawn.status == attracted.status == mix.status == "alert"
    assert drawn.sentence.startswith("Since 22 June 2024 the middle score went from ")
    assert "400 people now, 400 then" in drawn.sentence
    assert "grew from 16% to 50%, and " in mix.sentence
    assert "shrank from 84% to 50%" in mix.sentence
    assert "p under 0.001" in mix.sentence
    assert mix.what_to_do.startswith("See which channels")


def test_of_few_people_a_shift_says_nothing(shop: Workspace):
    scored(shop, "06-22", spread(1, 30, 199), STUDENTS)
    scored(shop, "06-29", spread(2, 60, 300), STUDENTS)
    found = [*shifts.score_drift(look(shop)), shifts.persona_mix(look(shop))]
    assert [check.status for check in found] == ["unknown"] * 3
    assert found[0].sentence == (
        "300 people now and 199 before are too few to tell; it takes 200 each time."
    )


def test_of_few_people_the_limit_is_what_chance_makes(shop: Workspace):
    scored(shop, "06-22", spread(1, 40, 220), STUDENTS)
    scored(shop, "06-29", spread(2, 40, 220), STUDENTS)
    [found, _] = shifts.score_drift(look(shop))
    assert found.limit == pytest.approx(0.25, abs=0.05)
    assert found.status == "ok"


def test_there_may_be_nothing_to_compare_with(shop: Workspace):
    assert shifts.persona_mix(look(shop)).sentence == "Nobody has been scored yet."
    scorings(shop, "06-29")
    assert "There is no scoring about 7 days before" in shifts.persona_mix(look(shop)).sentence
    scorings(shop, "06-22", version="other")
    assert "the definitions have changed" in shifts.persona_mix(look(shop)).sentence


# --- leads and money

AT: Any = SimpleNamespace(rules=RULES)


@pytest.mark.parametrize(
    ("completed", "of", "status"),
    [(19, 19, "unknown"), (18, 20, "ok"), (17, 20, "warning"), (850, 1000, "alert")],
)
def test_success_is_an_alert_where_chance_does_not_explain_it(completed: int, of: int, status: str):
    found = leads._success(AT, {"leads": of, "completed": completed})
    assert found.status == status
    assert found.limit == 0.9
    assert (found.value is None) == (status == "unknown")


@pytest.mark.parametrize(
    ("micros", "held", "status"),
    [(39_999, 0, "ok"), (30_000, 10_000, "warning"), (0, 50_000, "alert")],
)
def test_what_is_held_counts_as_spent(micros: int, held: int, status: str):
    ended = {"leads": 20, "cost_micros": 20 * micros, "held_micros": 20 * held}
    assert leads._cost(AT, ended).status == status


def test_leads_and_money_of_a_workspace(shop: Workspace):
    now = datetime.now(UTC)
    shop.enrichment.put([{"email": f"ann{n}@company.example.com"} for n in range(20)])
    waiting = leads.lead_queue(look(shop, now + timedelta(hours=7)))
    assert (waiting.status, "20 leads wait for a worker" in waiting.sentence) == ("warning", True)
    shop.enrichment.work(None)
    later = look(shop, datetime.now(UTC) + timedelta(seconds=1))
    assert [told(each) for each in leads.enrichment(later)] == [("ok", 1), ("ok", 0)]
    assert told(leads.lead_queue(later)) == ("ok", 0)


@pytest.mark.parametrize(
    ("day_usd", "month_usd", "status", "share"),
    [(0, 0, "ok", 0), (7, 70, "ok", 0.77), (8, 0, "warning", 0.8), (1, 95, "alert", 0.96)],
)
def test_the_budget_that_is_nearer_its_end_counts(
    shop: Workspace, day_usd: int, month_usd: int, status: str, share: float
):
    with shop.state.writing() as transaction:
        for day, usd in (("2024-06-30", day_usd), ("2024-06-02", month_usd)):
            transaction.change(
                "insert into enrichment_day values (:day, :micros)", day=day, micros=usd * 10**6
            )
    assert told(leads.budget(look(shop))) == (status, pytest.approx(share))


# --- the watch


def test_a_watch_of_an_empty_workspace_raises_no_alarm(shop: Workspace):
    checks = shop.watch()
    assert len(checks) == len({check.name for check in checks}) == 14
    assert {check.status for check in checks} <= {"ok", "unknown"}
    page = (shop.path / "reports" / "status.html").read_text()
    assert "<h1>All is well</h1>" in page


def test_the_watch_tells_and_says_whom_it_could_not(shop: Workspace, monkeypatch: Any):
    put_rows(shop, "user_event", events(300, "06-27 23:00"))
    with pytest.raises(SettingsError, match="MI_ALERT_URLS isn't set"):
        shop.watch(AS_OF, notify=True)
    with listening() as hook:
        hook.answers = [500]
        address = hook.url.replace("http", "json") + "/s3cret"
        monkeypatch.setenv("MI_ALERT_URLS", address)
        arguments = ["watch", "--notify", "--as-of", "2024-06-30", "--workspace", str(shop.path)]
        shop.settings = shop.settings.model_copy(update={"alert_urls": secret(address)})
        with pytest.raises(NotDelivered, match="json didn't take the message") as caught:
            shop.watch(AS_OF, notify=True)
        assert caught.value.checks[0].status == "alert"
        assert "json took nothing" in messages.messages(shop._looking(AS_OF)).sentence
        hook.answers = [500]
        failed = CliRunner().invoke(app, arguments)
        assert failed.exit_code == 1
        assert "mi: json didn't take the message" in failed.stderr
        assert "s3cret" not in failed.output
        done = CliRunner().invoke(app, [*arguments, "--json"])
        assert done.exit_code == 1
        assert json.loads(done.stdout)[0]["status"] == "alert"
        assert len(hook.posts) == 3
        assert (
            hook.posts[-1].json["message"].startswith("Alert – Newest event. The newest event is")
        )


def test_a_look_back_leaves_page_records_and_channels_as_they_are(shop: Workspace):
    put_rows(shop, "user_event", events(300, "06-27 23:00"))
    shop.watch(AS_OF)
    page = shop.path / "reports" / "status.html"
    before = page.read_text(), shop.sql("from state.alert order by name")
    # With `notify`, anybody to tell would be looked for, and there is none.
    checks = shop.watch(AS_OF - timedelta(days=2), notify=True)
    assert checks[0].status == "ok"
    assert page.read_text() == before[0]
    assert shop.sql("from state.alert order by name").equals(before[1])
    shop.watch()
    assert page.read_text() != before[0]


def test_who_takes_no_message_is_seen_by_the_next_watches(shop: Workspace):
    def seen(at: datetime) -> tuple[str, str]:
        found = messages.messages(shop._looking(at))
        return found.status, found.sentence

    hour = timedelta(hours=1)
    assert seen(AS_OF) == ("ok", "All that was to be told has arrived.")
    messages.note(shop.state, messages.ALERTS, ["slack", "slack"], at=AS_OF)
    assert seen(AS_OF + hour)[0] == "ok"
    messages.note(shop.state, messages.ALERTS, ["slack"], at=AS_OF + 20 * hour)
    messages.note(shop.state, messages.CHURN, ["the churn webhook"], at=AS_OF + 23 * hour)
    assert seen(AS_OF + 23 * hour)[0] == "warning"
    assert seen(AS_OF + 24 * hour) == (
        "alert",
        "slack and the churn webhook took nothing of what was to be told, for 1.0 days.",
    )
    messages.note(shop.state, messages.ALERTS, [], at=AS_OF + 24 * hour)
    assert seen(AS_OF + 24 * hour)[0] == "ok"
    # Nobody sends any more.
    assert seen(AS_OF + 72 * hour)[0] == "ok"


def secret(text: str) -> Any:
    from pydantic import SecretStr

    return SecretStr(text)


def test_the_page_has_words_signs_and_what_to_do_and_is_served(shop: Workspace):
    put_rows(shop, "user_event", [*events(300, "06-27 23:00", "<b>wobble</b>")])
    shop.watch(AS_OF)
    shop.watch(AS_OF + timedelta(hours=1))
    page = (shop.path / "reports" / "status.html").read_text()
    assert "2 alerts" in page
    assert "30 Jun 2024, 00:00" in page
    assert "<strong>What to do:</strong> See whether PostHog" in page
    assert "&lt;b&gt;wobble&lt;/b&gt; (300)" in page
    assert "<b>wobble" not in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")

    from mi_core.api.app import create_app

    served = TestClient(create_app(shop.path, shop.settings), base_url="http://localhost").get(
        "/reports/status.html"
    )
    assert (served.status_code, served.text) == (200, page)


def test_the_heading_counts_what_needs_somebody():
    def check(status: Any) -> Check:
        return Check("a", "A", status, None, None, "share", "It is so.", "Do this.")

    assert verdict([check("unknown")]) == "Nothing to tell yet"
    assert verdict([check("ok"), check("unknown")]) == "All is well"
    assert verdict([check("warning")]) == "1 warning"
    assert verdict([check("warning"), check("alert"), check("alert")]) == "2 alerts and 1 warning"
    assert "▲" in status_page([check("warning")], {}, [], as_of=AS_OF)
