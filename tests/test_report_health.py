"""The data health report: its sentences, tables and charts, and its notebook, without a kernel."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from report_samples import event, intent, magnetism, milestone, person, put
from stores import new_workspace

from mi_core import charts
from mi_core.drawing import VEGA_LITE
from mi_core.errors import ReportError
from mi_core.ingest.classify import classification_version
from mi_core.stories.foot import MANIFEST
from mi_core.stories.health import HealthReport, changes, findings, listings
from mi_core.workspace import Workspace

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "report-health.ipynb"
UNTIL = datetime(2024, 6, 30)
DAYS = 28
DAY = timedelta(days=1)
CHARTS = {
    "arrivals": charts.arrivals,
    "hours": lambda report: charts.event_hours(report, 14),
    "names": lambda report: charts.coverage(report.days),
    "intent": lambda report: charts.score_then_and_now(report, "intent"),
    "magnetism": lambda report: charts.score_then_and_now(report, "magnetism"),
    "statuses": charts.check_statuses,
}
TABLES = (
    listings.checks,
    listings.sources,
    listings.gaps,
    listings.outcomes,
    listings.unknown_events,
    listings.bad_times,
)


def every_hour(since: datetime, days: int, number: int) -> Iterator[dict[str, Any]]:
    """At 10 and 11 o'clock of each day, so many events."""
    for day in range(days):
        for hour in (10, 11):
            at = f"{since + timedelta(days=day, hours=hour):%m-%d %H}"
            for n in range(number):
                yield event(f"p{n}", f"{at}:{n:02}:00", "app_open") | {"session_id": "s"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Two periods with ten, then twelve events in each of two hours; a morning without any."""
    events = [
        *every_hour(UNTIL - timedelta(days=4 * DAYS), 2 * DAYS, 10),
        *every_hour(UNTIL - timedelta(days=2 * DAYS), DAYS, 10),
        *every_hour(UNTIL - timedelta(days=DAYS), DAYS, 12),
    ]
    gap = ("2024-06-25 10", "2024-06-25 11")
    events = [row for row in events if not str(row["occurred_at"]).startswith(gap)]
    events += [event(f"p{n}", f"06-28 1{n % 2}:30:{n:02}", "<b>wobble</b>") for n in range(40)]
    with new_workspace(tmp_path_factory.mktemp("shop")) as workspace:
        fill(workspace, events)
        for days in (3, 0):
            workspace.watch(UNTIL.replace(tzinfo=UTC) - timedelta(days=days))
        yield workspace


def fill(workspace: Workspace, events: list[dict[str, Any]]) -> None:
    people = [f"p{n}" for n in range(200)]
    scorings = (("06-23", 30.0), ("06-30", 60.0))
    version = classification_version(workspace.definitions)
    runs = [
        {"as_of": f"2024-{day}", "config_version": workspace.definitions.version}
        for day, _ in scorings
    ]
    tables: dict[str, list[Any]] = {
        "user_event": events,
        "analytics_events": [_stored(n, row) for n, row in enumerate(events)],
        "user_milestone": [milestone(name, first_event_at="01-01") for name in people],
        "score_run": runs,
        "user_intent_score": [
            intent(name, score + n % 10, "low") | {"as_of": f"2024-{day}"}
            for day, score in scorings
            for n, name in enumerate(people)
        ],
        "user_magnetism_index": [
            magnetism(name, "cold", as_of=day) for day, _ in scorings for name in people
        ],
        "pull_window": [
            _pull("01-01", "06-01", rejected=10),
            _pull("06-03", "06-30", rejected=50),
        ],
    }
    with workspace.warehouse.publish("rows of the tests"):
        for table, rows in tables.items():
            put(workspace.warehouse, f"lake.{table}", *rows)
        workspace.warehouse.sql(f"insert into lake.classification values ('{version}')")
        # Seven of eight came by the webhook as well.
        workspace.warehouse.sql(
            "insert into lake.event_delivery select event_id, 'webhook', occurred_at"
            " from lake.analytics_events where session_id <> '0'"
        )


def _stored(number: int, row: dict[str, Any]) -> dict[str, Any]:
    names = ("event_id", "event_name", "user_id", "occurred_at")
    return {name: row[name] for name in names} | {"source": "query", "session_id": f"{number % 8}"}


def _pull(since: str, until: str, *, rejected: int) -> dict[str, Any]:
    counts = {"accepted": 900, "duplicates": 20, "withheld": 30, "rejected": rejected}
    return {"since": f"2024-{since}", "until": f"2024-{until}", **counts}


@pytest.fixture(scope="module")
def report(shop: Workspace) -> HealthReport:
    return HealthReport.read(shop)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> HealthReport:
    """Of a workspace in which one person was scored once."""
    with new_workspace(tmp_path_factory.mktemp("empty")) as workspace:
        with workspace.warehouse.publish("rows of the tests"):
            put(workspace.warehouse, "lake.user_magnetism_index", magnetism("a", "cold"))
            put(workspace.warehouse, "lake.score_run", {"as_of": "2024-06-30"})
        return HealthReport.read(workspace, days=7)


def test_the_summary_says_what_happened_and_how_sure_that_is(report: HealthReport):
    told = str(findings.summary(report))
    for sentence in (
        "<strong>1 alert (Intent scores) and 1 warning (Silent hours)</strong>.</li>",
        "<strong>688 events of 28 days</strong> are here; before, there were 560: no clear",
        "the webhook 602 and pulls 688.",
        "the webhook missed 83 (12%); before, it was 13%: no clear change",
        "2 hours that always have events had none, the first on 25 June 2024, 10:00 UTC.",
        "No export or pull covers 24 of 672 hours",
        "6% of the events have a name that the settings don't know</strong> (40 under 1 name)",
        "<strong>Of 1,000 rows in export files and pulls, 50 (5%) couldn't be read</strong>; "
        "before, it was 1%: too few to compare.",
        "<strong>Shifted within a week: intent scores.</strong> Since 23 June 2024",
        "Watches found something bad 2 times</strong>; the longest was newest scoring, for 3.0",
    ):
        assert sentence in told


def test_what_to_do_begins_with_the_worst(report: HealthReport):
    told = str(findings.what_to_do(report))
    assert told.startswith("<ol><li><strong>Intent scores</strong>: See whether events")
    assert "&lt;b&gt;wobble&lt;/b&gt;" in told
    assert "<b>wobble" not in told


def test_the_tiles_have_notes_of_the_change(report: HealthReport):
    told = str(findings.headline(report))
    assert "<dd>2 of 10</dd>" in told
    assert "560 before: no clear change" in told
    assert "of 55 that always have some" in told


def test_events_are_no_surer_than_the_people_who_cause_them(report: HealthReport):
    """A thousand people with 200 events each; the squares are of some who act much, some little."""
    some = {"events": 203_000, "events_before": 200_000, "unknown": 4_060, "unknown_before": 3_000}
    bunched = {
        "events_squares": 203_000 * 400,
        "events_squares_before": 200_000 * 400,
        "events_across": 190_000 * 400,
        "unknown_squares": 4_060 * 60,
        "unknown_squares_before": 3_000 * 60,
        "unknown_products": 4_060 * 200,
        "unknown_products_before": 3_000 * 200,
    }
    told = str(findings.summary(replace(report, spread=some | bunched)))
    assert "before, there were 200,000: no clear change (−" in told
    assert "before, it was 2%: no clear change (−" in told
    by_itself = {name: some[name.split("_")[0]] for name in bunched} | {
        "events_squares_before": 200_000,
        "unknown_squares_before": 3_000,
        "unknown_products_before": 3_000,
        "events_across": 0,
    }
    told = str(findings.summary(replace(report, spread=some | by_itself)))
    assert "before, there were 200,000: 1% more (0.9% to 2%)" in told


def test_from_many_to_none_is_told_with_how_many_there_were(report: HealthReport):
    none = {"events": 0, "events_squares": 0.0, "events_across": 0.0}
    gone = replace(
        report, days=report.days.with_columns(events=0, unknown=0), spread=report.spread | none
    )
    assert findings.how_much_came(gone).startswith(
        "<strong>No event came in this period</strong>; before, there were 560: 100% fewer ("
    )
    known = {"unknown": 0, "unknown_squares": 0.0, "unknown_products": 0.0, "unknown_before": 280}
    were = known | {"unknown_squares_before": 28.0**2 * 10, "unknown_products_before": 28.0 * 560}
    all_known = replace(
        report, days=report.days.with_columns(unknown=0), spread=report.spread | were
    )
    assert "Every event has a name that the settings know</strong>; before, the share of oth" in (
        findings.what_is_unknown(all_known)
    )
    nothing = replace(report, delivered=report.delivered.clear())
    assert "reached up to this period</strong>; before, there were 960 rows" in (
        findings.what_was_left_out(nothing)
    )


def test_what_the_webhook_missed_is_as_sure_as_the_days(report: HealthReport):
    """An outage of one day alone is no clear change, though it took a fifth of all events."""
    outage = pl.col("hour").dt.date() == datetime(2024, 6, 10).date()
    hours = report.hours.with_columns(
        missed=pl.when(outage).then(20).otherwise(0),
        reference=pl.when(outage).then(20).otherwise(3),
    )
    change = changes.missed_share(replace(report, hours=hours))
    assert change is not None
    assert not change.is_clear
    everywhere = hours.with_columns(missed=pl.when(pl.col("hour") >= UNTIL - DAYS * DAY).then(1))
    change = changes.missed_share(replace(report, hours=everywhere.fill_null(0)))
    assert change is not None
    assert change.low > 0


def test_gaps_in_a_row_are_one(report: HealthReport):
    assert listings.silent(report) == [(datetime(2024, 6, 25, 10), datetime(2024, 6, 25, 12))]
    told = str(listings.gaps(report))
    assert "25 June 2024, 10:00 UTC" in told
    assert "2.0 h" in told


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_says_what_it_shows_and_has_its_figures(report: HealthReport, name: str):
    data, metadata = CHARTS[name](report)._repr_mimebundle_(None, None)
    assert len(data["text/plain"]) > 40
    assert "<table" in metadata[VEGA_LITE]["table"]


def test_without_events_it_says_so(empty: HealthReport):
    told = str(findings.summary(empty))
    assert "<strong>Nothing needs anybody</strong>" in told
    assert "No event came in this period" in told
    assert "can't be told" in told
    assert "Nobody watched in this period" in told
    assert "mi watch --notify" in str(findings.what_to_do(empty))
    shown = [*(each(empty) for each in TABLES), findings.headline(empty), listings.glossary()]
    assert all(str(each) for each in shown)
    for chart in CHARTS.values():
        data, _ = chart(empty)._repr_mimebundle_(None, None)
        assert data["text/html"].startswith('<p class="nothing">')


def test_a_calm_period_is_told_as_one(report: HealthReport):
    calm = replace(
        report,
        checks=[replace(each, status="ok") for each in report.checks],
        statuses=report.statuses.filter(pl.col("status") == "ok"),
    )
    told = str(findings.summary(calm))
    assert "Nothing needs anybody</strong>: 14 checks of 14 can tell" in told
    assert "Scores and personas are as a week before" in told
    assert "No watch of this period found anything bad" in told


def test_a_period_that_is_none_is_refused(shop: Workspace):
    with pytest.raises(ReportError, match="1 day or more, not 0"):
        HealthReport.read(shop, days=0)


def test_the_notebook_shows_all_of_it(shop: Workspace):
    names: dict[str, Any] = {}
    shown = []
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code":
            continue
        if "parameters" in cell["metadata"].get("tags", []):
            exec(source, names)
            names["workspace"] = str(shop.path)
        elif "import" in source:
            exec(source, names)
        else:
            shown.append(eval(source, names))
    assert len(shown) == 18
    manifest = shown[-1]._repr_mimebundle_()[MANIFEST]
    assert manifest["as_of"] == "2024-06-30T00:00:00"
    assert json.dumps(manifest["figures"])
    text = "".join(str(each) for each in shown if isinstance(each, str))
    assert person("p1") not in text
