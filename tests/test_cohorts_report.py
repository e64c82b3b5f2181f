"""The cohorts report: its figures, its sentences and its charts, on numbers easy to add up."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from attribution_samples import COHORT_SCHEMA
from report_samples import AS_OF, event, fill, put
from stores import new_workspace

from mi_core import charts
from mi_core.drawing import VEGA_LITE
from mi_core.ingest.classify import classification_version
from mi_core.retention import Retention
from mi_core.stories.cohorts import CohortsReport, curves, doing, findings, listings
from mi_core.stories.foot import foot
from mi_core.stories.period import Edition, Period

BEGIN = date(2024, 4, 8)
EDITION = Edition(Period(datetime(2024, 6, 3), 56), "0123456789ab", 3, True, "0123456789ab")
WEEKS_SCHEMA = {
    "period": pl.Date,
    **dict.fromkeys(("new", "returning", "resurrecting", "dormant"), pl.Int64),
    "is_complete": pl.Boolean,
}


def cohorts(*kept: list[int], size: int = 100, unfinished: int = 0) -> pl.DataFrame:
    """Weekly cohorts of `size` people, the oldest first: how many came back in week 1, 2, …

    The last week of the newest `unfinished` cohorts isn't over.
    """
    rows = [
        (
            BEGIN + timedelta(weeks=number),
            size,
            period,
            people,
            people / size if size else None,
            not (period == len(each) and number >= len(kept) - unfinished),
        )
        for number, each in enumerate(kept)
        for period, people in enumerate([size, *each])
    ]
    return pl.DataFrame(rows, schema=COHORT_SCHEMA, orient="row")


def retention(frame: pl.DataFrame, by: str | None = None) -> Retention:
    at = EDITION.period.until.replace(tzinfo=UTC)
    more = ("engagement", "engagement", "week", "first_time", "on", by, at, "0123456789ab", 3)
    return Retention(frame, pl.DataFrame(), *more)


def grouped(**groups: pl.DataFrame) -> Retention:
    named = [
        each.select(pl.lit(name).alias("breakdown"), pl.all()) for name, each in groups.items()
    ]
    return retention(pl.concat(named), "channel")


def report(weekly: pl.DataFrame, **more: object) -> CohortsReport:
    nobody = grouped(Email=cohorts(size=0), Direct=cohorts(size=0))
    weeks = [(BEGIN, 40, 60, 10, 20, True), (BEGIN + timedelta(weeks=1), 50, 55, 30, 25, True)]
    days = {"active_periods": [1, 2, 3, 4], "people": [40, 30, 20, 10]}
    given = {
        "edition": EDITION,
        "weekly": retention(weekly),
        "monthly": retention(weekly),
        "by_channel": nobody,
        "by_persona": nobody,
        "lifecycle": pl.DataFrame(weeks, schema=WEEKS_SCHEMA, orient="row"),
        "stickiness": pl.DataFrame(days).with_columns((pl.col("people") / 100).alias("share")),
    }
    return CohortsReport(**given | more)


SIX = ([30, 20], [30, 20], [30, 20], [60, 40], [60, 40], [60, 40])


def test_curve_adds_up_cohorts_whose_week_is_over():
    found = curves.curve(cohorts([30, 20], [50, 99], unfinished=1))
    assert found.select("period", "size", "people").rows() == [(1, 200, 80), (2, 100, 20)]
    assert found["rate"].to_list() == [0.4, 0.2]
    assert found["low"][0] == pytest.approx(0.3346, abs=1e-4)
    assert found["high"][1] == pytest.approx(0.2888, abs=1e-4)


def test_newest_cohorts_are_compared_with_as_many_before_that_are_over():
    found = curves.newest(cohorts(*SIX), 2)
    assert (found.change.value, found.change.before) == (0.6, 0.45)
    assert (found.size, found.size_before) == (200, 200)
    assert (found.first, found.first_before) == (date(2024, 5, 6), date(2024, 4, 22))
    later = curves.newest(cohorts(*SIX, [0], unfinished=1), 2)
    assert later == found
    assert curves.newest(cohorts(*SIX[:3]), 2) is None


def test_a_change_is_taken_apart_into_channels_and_shares_within_them():
    # Of 100 and 100, 40 and 20 came back; then 150 and 50 came, and half and a fifth came back.
    before = (cohorts([40]), cohorts([20]))
    now = (cohorts([75], size=150), cohorts([10], size=50))
    later = [each.with_columns(pl.col("cohort") + pl.duration(weeks=1)) for each in now]
    both = grouped(
        Email=pl.concat([before[0], later[0]]), Direct=pl.concat([before[1], later[1]])
    ).cohorts
    found = curves.parts(both, 1)
    assert found.of_mix + found.of_shares == pytest.approx(85 / 200 - 60 / 200)
    assert found.of_mix == pytest.approx(0.25 * 0.45 - 0.25 * 0.20)
    assert found.of_shares == pytest.approx(0.1 * 0.625)


def test_groups_are_compared_with_all_others_at_once():
    found = grouped(Email=cohorts([60], [60]), Direct=cohorts([30], [30]), A=cohorts([45], [45]))
    named = {name: change for name, _, change in curves.groups(found.cohorts)}
    assert (named["Email"].value, named["Email"].before) == (0.6, 0.375)
    assert named["Email"].low > 0
    assert named["Direct"].high < 0
    assert not named["A"].is_clear


def test_summary_says_how_many_come_back_and_that_the_newest_do_so_more_often():
    said = findings.summary(report(cohorts(*SIX, [0, 0], unfinished=1)))
    assert "39% of new people came back in the week after their first</strong> (35% to 42%)" in said
    assert "came back in week 1</strong>" in said
    assert "<strong>135 people were active in the last whole week</strong>: 55 came again" in said
    assert "new or again after a pause, were clearly more." in said
    assert "A typical active person came on 2 days of 4</strong>; 40% came on one day alone" in said
    assert "Read with care" not in said


def test_from_many_to_none_is_told_with_how_many_there_were():
    weeks = [(BEGIN, 40, 60, 10, 20, True), (BEGIN + timedelta(weeks=1), 0, 0, 0, 110, True)]
    gone = report(cohorts(*SIX), lifecycle=pl.DataFrame(weeks, schema=WEEKS_SCHEMA, orient="row"))
    assert findings.who_is_active(gone) == (
        "<strong>Nobody was active in the last whole week</strong>; the week before had 110: 100% "
        "fewer (97% to 100%)."
    )


def test_no_clear_change_is_never_told_as_news():
    same = report(cohorts([30], [31], [29], [30], [31], [32]))
    assert "no clear change" in findings.the_newest(same)
    assert not any("since" in step for step in doing.steps(same))
    worse = report(cohorts([60], [60], [60], [60], [60], [30]))
    assert "30 points fewer" in findings.the_newest(worse)
    assert "Find out what has gone wrong since 13 May 2024" in doing.steps(worse)[0]


def test_channels_that_differ_clearly_are_named_and_others_are_not():
    some = grouped(**{"<b>mail": cohorts([60], [60]), "Direct": cohorts([30], [30])})
    found = report(cohorts(*SIX), by_channel=some)
    assert "&lt;b&gt;mail 60%" in findings.by_channel(found)
    assert "Check what Direct promises" in "".join(doing.steps(found))
    assert "<b>mail" not in findings.what_to_do(found)
    alike = grouped(Email=cohorts([30], [30]), Direct=cohorts([31], [31]))
    said = findings.by_channel(report(cohorts(*SIX), by_channel=alike))
    assert said.startswith("<strong>No first channel goes with coming back clearly more often")


def test_a_workspace_of_nobody_gives_sentences():
    nobody = report(
        cohorts([0, 0], size=0),
        lifecycle=pl.DataFrame(schema=WEEKS_SCHEMA),
        stickiness=pl.DataFrame({"active_periods": [1], "people": [0], "share": [None]}),
        edition=replace(EDITION, is_compared=False),
    )
    said = findings.headline(nobody) + findings.summary(nobody) + findings.what_to_do(nobody)
    assert "No second week is over yet" in said
    assert "Nothing stands out" in said
    assert "nan" not in said.lower()
    for chart in (
        charts.retention_curve(nobody.weekly),
        charts.retention(nobody.by_channel),
        charts.retention(grouped(Email=cohorts([], unfinished=1))),
        charts.lifecycle(nobody.lifecycle),
        charts.stickiness(nobody.stickiness),
    ):
        bundle, _ = chart._repr_mimebundle_()
        assert bundle["text/html"].startswith('<p class="nothing">')


def test_charts_say_what_they_show_and_mark_a_week_that_is_not_over():
    found = report(cohorts(*SIX))
    unfinished = found.lifecycle.with_columns((pl.col("period") == BEGIN).alias("is_complete"))
    for chart, part in (
        (charts.retention_curve(found.weekly), "week 1: 45% (41% to 49%)"),
        (charts.lifecycle(unfinished), "in the last of them 110; 20 stayed away then"),
        (charts.stickiness(found.stickiness), "1: 40; 2: 30"),
    ):
        bundle, metadata = chart._repr_mimebundle_()
        assert part in bundle[VEGA_LITE]["description"]
        assert metadata[VEGA_LITE]["table"].count("<tr>") >= 3
    spec = charts.lifecycle(unfinished)._repr_mimebundle_()[0][VEGA_LITE]
    assert "* and pale: that week isn't over" in spec["title"]["subtitle"]
    [rows] = spec["datasets"].values()
    kinds = {row["kind"]: row["bar"] for row in rows if row["week"] == "15 Apr*"}
    assert (kinds["new"], kinds["stayed away"]) == (50, None)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with new_workspace(tmp_path_factory.mktemp("shop")) as workspace:
        with workspace.warehouse.publish("rows of the tests"):
            fill(workspace.warehouse)
            acts = [event(f"person {n:02}", f"06-{1 + n:02}", "app_open") for n in range(12)]
            put(workspace.warehouse, "lake.user_event", *acts)
            version = classification_version(workspace.definitions)
            workspace.warehouse.sql(f"insert into lake.classification values ('{version}')")
        yield CohortsReport.read(workspace, days=28)


def test_figures_are_of_one_snapshot_and_end_in_the_manifest(shop):
    assert shop.edition.period.until == AS_OF
    assert shop.weekly.lake_snapshot == shop.by_channel.lake_snapshot == shop.edition.lake_snapshot
    assert shop.weekly.cohorts.filter(pl.col("period") == 0)["size"].to_list() == [2, 7, 3, 0, 12]
    assert shop.lifecycle["is_complete"].to_list()[-1] is False
    kept = foot(shop, shop.edition).manifest
    assert kept["figures"]["weekly"]["cohorts"][0]["size"] == 2
    assert "28 days" in foot(shop, shop.edition)
    assert "a week is over" in listings.glossary(shop)
    assert "New in 5 weeks</dt><dd>24</dd>" in findings.headline(shop)
