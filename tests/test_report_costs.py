"""The cost report: its relations on a few leads, and what it says of many, of few and of none."""

import re
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction

import polars as pl
import pytest
from ledger_rows import call, lead, put_rows, step
from report_samples import fill, milestone, person, put
from stores import new_workspace

from mi_core import charts
from mi_core.drawing import VEGA_LITE
from mi_core.stories.costs import CostReport, doing, findings, listings, outcome
from mi_core.stories.costs.money import of_each, usd
from mi_core.stories.executive import ExecutiveReport
from mi_core.stories.foot import figures, foot
from mi_core.stories.health import HealthReport
from mi_core.stories.period import Period

SUPPORTED = '{"industry": {"value": "tools", "is_supported": true}}'


@pytest.mark.parametrize(
    ("micros", "written"),
    [
        (0, "$0.00"),
        (41_000, "$0.041"),
        (50_000, "$0.05"),
        (1_749, "$0.0017"),
        (1_750, "$0.0018"),
        (999_999, "$1.00"),
        (40, "under $0.0001"),
        (1_234_565_000, "$1,234.57"),
        (-2_500_000, "−$2.50"),
        (Fraction(10_000, 3), "$0.0033"),
        (None, "–"),
    ],
)
def test_money_is_written_from_integers(micros, written):
    assert usd(micros) == written


def test_what_one_of_none_costs_is_nothing():
    assert of_each(10, 0) is None
    assert of_each(10, 4) == Fraction(5, 2)


def people(number):
    """People of the shop: `person 00` to `person 23`."""
    return person(f"person {number:02}")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """The shop, with leads of June: scored as of the 30th, so that the 28 days begin on 2 June."""
    with new_workspace(tmp_path_factory.mktemp("shop")) as workspace:
        with workspace.warehouse.publish("rows of the tests"):
            fill(workspace.warehouse)
            tried = milestone("followed", trial_started_at="06-10", purchased_at="06-30")
            put(workspace.warehouse, "lake.user_milestone", tried)
        put_rows(workspace.state, rows())
        yield workspace


def rows():
    paid = lead("06-04 12:00", user_id=person("followed"))
    partial = lead("06-20 12:00", is_partial=1)
    dead = lead("06-25 12:00", "failed_permanent", error="company by perplexity: it is down (503).")
    early = lead("05-10 12:00")
    open_one, later = lead("06-28", "pending"), lead("06-30 01:00")
    refused = lead("06-05", "failed_permanent", email_hash=None, email_domain=None)
    return {
        "user_identity": [paid, partial, dead, early, open_one, later, refused],
        "enrichment_call": [
            call("06-04 12:00", "social", 1000, paid, latency_ms=100),
            call("06-04 12:00", "company", 5000, paid, latency_ms=900),
            call("06-04 12:00", "persona", 600, paid, latency_ms=300),
            call("06-20 12:00", "social", 1000, partial, latency_ms=300),
            call("06-20 12:00", "persona", None, partial),
            call("06-20 12:00", "company", 0, partial, is_cached=1, most_micros=0),
            call("06-25 12:00", "social", 200, dead, status="invalid"),
            call("06-29 12:00", "company", 0, None, status="key_refused"),
            call("06-29 13:00", "company", None, None, status="reserved"),
            call("05-10 12:00", "social", 2000, early),
            call("06-30 00:00", "social", 9000, later),
        ],
        "enrichment_step": [
            step(paid, "social", answer='{"linkedin": "x"}'),
            step(paid, "company", answer=SUPPORTED),
            step(paid, "persona"),
            step(partial, "social"),
            step(partial, "company", "cache", reason="company_cache"),
            step(early, "social"),
        ],
        "enrichment_day": [
            {"day": day, "committed_micros": micros}
            for day, micros in (("2024-05-10", 2000), ("2024-06-04", 6600), ("2024-06-29", 9000))
        ],
    }


@pytest.fixture(scope="module")
def report(workspace):
    return CostReport.read(workspace)


def text(markup):
    return re.sub(r"<[^>]+>", "", markup)


def test_leads_taken_by_what_became_of_them(report):
    assert dict(report.taken.iter_rows()) == {
        "completed": 1,
        "failed": 1,
        "open": 1,
        "partial": 1,
        "refused": 1,
    }
    assert (report.taken_change.value, report.taken_change.before) == (5, 1)


def test_ended_leads_and_what_they_cost_to_the_millionth(report):
    ended = report.ended
    assert (ended["leads"], ended["completed"], ended["partial"], ended["useful"]) == (3, 2, 1, 1)
    # 6600, 1000 and 9000 held, 200
    assert (ended["micros"], ended["squares"]) == (16_800, 6600**2 + 10_000**2 + 200**2)
    assert (ended["compared"], ended["compared_micros"], ended["later"]) == (3, 16_800, 1)
    assert report.lead_micros == 5600
    assert report.ended_before["micros"] == 2000


def test_calls_by_provider_and_step(report):
    found = {row["provider"]: row for row in report.calls.iter_rows(named=True)}
    openai, perplexity, rapidapi = (found[each] for each in ("openai", "perplexity", "rapidapi"))
    assert (openai["calls"], openai["ok"], openai["failed"], openai["lost"]) == (2, 1, 1, 1)
    assert (openai["cost_micros"], openai["held_micros"], openai["lost_micros"]) == (
        600,
        9000,
        9000,
    )
    assert (perplexity["calls"], perplexity["cached"], perplexity["lost"]) == (3, 1, 0)
    assert (perplexity["held_micros"], perplexity["at_once"]) == (9000, 1)
    assert (rapidapi["failed"], rapidapi["failed_micros"]) == (1, 200)
    assert (rapidapi["median_ms"], rapidapi["p95_ms"]) == (200, 290)


def test_the_newest_call_and_unknown_costs_of_each_provider(report):
    found = {row["provider"]: row for row in report.providers.iter_rows(named=True)}
    assert found["perplexity"]["last_status"] == "key_refused"
    assert (found["perplexity"]["unknown"], found["openai"]["unknown"]) == (0, 1)
    assert found["openai"]["unknown_micros"] == 9000
    assert found["openai"]["unknown_since"] == datetime(2024, 6, 20, 12)
    assert found["rapidapi"]["last_at"] == datetime(2024, 6, 25, 12)


def test_the_budget_is_of_the_last_day_and_its_month(report):
    assert report.budget == {"day": date(2024, 6, 29), "day_micros": 9000, "month_micros": 15_600}
    assert report.dearest_day == (10_000, date(2024, 6, 20))


def test_what_was_found_and_who_went_on(report):
    assert report.found == {
        "leads": 2,
        "with_profile": 1,
        "with_company": 1,
        "with_persona": 1,
        "useful": 1,
    }
    assert report.followed_period == Period(datetime(2024, 6, 16), 28)
    everybody = report.followed.row(0, named=True)
    # One of them tried six days later, and bought after the 14 days.
    assert everybody == {
        **{"found": "any", "is_found": None, "untried": 1, "tried": 1},
        **{"unsold": 1, "bought": 0},
    }


def test_the_summary_says_what_a_lead_cost_and_how_sure_that_is(report):
    said = text(findings.summary(report))
    assert "A lead cost $0.0056 ($0.00 to $0.0112), below the aim of $0.05" in said
    assert "the system that this one replaces $0.041 and Clay $0.25" in said
    assert "67% of 3 leads that ended were completed" in said
    assert "chance leaves open whether the aim of 90% is met" in said
    assert "5 leads came in; the period before had 1: too few to compare" in said
    assert "Of them 1 is completed, 1 is completed but for a step, 1 waits" in said
    assert "Of $100.00 for June, $99.98 are left" in said
    assert "The dearest day, 20 June 2024, took $0.01 of $10.00." in said
    assert "$0.005 were not spent, most of it by asking once about each company: 1 time" in said
    assert "3 of 8 calls failed: of 1 that was sent without an answer" in said
    assert "the others cost $0.0002" in said
    assert "1 lead that ended after the scores is not on this page" in said


def test_what_to_do_is_computed(report):
    said = text(doing.steps(report))
    assert "Mend the account of Perplexity (its last call, on 29 June 2024: key refused)" in said
    assert "mi enrich reopen perplexity" in said
    assert "Settle 1 call to OpenAI of unknown cost, for which $0.009 are held" in said
    assert "Try 1 lead again that failed for good in the last 7 days" in said
    assert "Ask for what 1 lead lacks" in said
    assert "Lower the monthly cap from $100.00 to $1.00" in said
    assert "batch" not in said
    assert "5 more" not in said
    assert "4 more below" in text(findings.summary(report))


def test_a_cap_that_is_nearly_used_up_is_to_be_raised(report):
    spent = replace(report, budget=report.budget | {"month_micros": 85_000_000})
    assert "raise the monthly cap of $100.00" in doing.in_short(
        replace(
            spent,
            providers=report.providers.clear(),
            lately=report.ended_before,
            taken=none(report),
        )
    )


def none(report):
    return report.taken.clear()


def test_batches_are_advised_where_they_would_spare_something(report):
    dear = report.calls.with_columns(pl.lit(80_000).alias("at_once_micros"))
    assert "of $0.08 that they cost, $0.04 would have stayed" in doing.steps(
        replace(report, calls=dear)
    )


def many(report, **ended):
    """As if a thousand leads had ended, at 10,000 millionths each."""
    rows = report.ended | {"leads": 1000, "completed": 950, "micros": 10_000_000}
    rows |= {"squares": 101 * 10**9, "compared": 1000, "compared_micros": 10_000_000}
    return replace(report, ended=rows | ended, ended_before=rows)


def test_what_is_clear_against_the_aims_is_said(report):
    said = text(findings.summary(many(report)))
    assert "A lead cost $0.01 ($0.0099 to $0.0101), below the aim of $0.05" in said
    assert "clearly at the aim of 90% or above" in said
    low = text(findings.summary(many(report, completed=800)))
    assert "clearly below the aim of 90%" in low
    dear = text(findings.summary(many(report, micros=90_000_000, squares=8101 * 10**9)))
    assert "above the aim of $0.05" in dear


def test_groups_go_on_more_often_only_beyond_chance(report):
    def followed(tried):
        rows = [("any", None, 400, 100), ("profile", False, 200, 50 - tried)]
        rows.append(("profile", True, 200, 50 + tried))
        return pl.DataFrame(
            [(*row, row[2], 0) for row in rows], schema=report.followed.schema, orient="row"
        )

    clear = outcome.who_went_on(replace(report, followed=followed(30)))
    assert "With a kept profile 40% did, without 10%: 30 points more" in clear
    assert "it says not why" in clear
    chance = outcome.who_went_on(replace(report, followed=followed(3)))
    assert "With a kept profile" not in chance
    assert "25% began a trial within 14 days" in chance
    assert outcome.frame(replace(report, followed=followed(3))).height == 3


def test_without_leads_there_are_sentences(tmp_path):
    with new_workspace(tmp_path) as workspace:
        with workspace.warehouse.publish("rows of the tests"):
            fill(workspace.warehouse)
        empty = CostReport.read(workspace)
    said = text(findings.summary(empty))
    assert "No lead ended in this period, so that there is no cost of one." in said
    assert "No lead was taken in this period." in said
    assert "Nothing needs to be done" in said
    assert findings.tiles(empty).count("<dt>") == 1
    nothing = (doing.steps, listings.providers, listings.waits, listings.savings, listings.errors)
    for part in (*nothing, outcome.found_note, outcome.bought):
        assert part(empty).startswith('<p class="nothing">')
    for bundle in all_charts(empty):
        assert VEGA_LITE not in bundle
        assert bundle["text/plain"].endswith(".")
    assert "nan" not in (said + text(listings.glossary(empty))).lower()
    ended = empty.ended_before | {"leads": 40}
    gone = replace(
        empty,
        ended_before=ended,
        taken_days_before=pl.DataFrame({"day": range(28), "leads": [2] * 28}),
        edition=replace(empty.edition, is_compared=True),
    )
    said = text(findings.summary(gone))
    assert "there is no cost of one; the period before had 40." in said
    assert "No lead was taken in this period; the period before had 56: 100% fewer (93% to" in said


def test_leads_that_nobody_was_paid_for_are_not_called_cheap(report):
    free = report.ended | {"micros": 0, "squares": 0, "compared": 0, "compared_micros": 0}
    local = replace(report, ended=free, calls=report.calls.clear(), budget=no_budget(report))
    said = text(findings.summary(local))
    assert "Nothing was paid for 3 leads: no provider was asked." in said
    assert "A lead cost" not in said
    assert "Cost of a lead" not in findings.tiles(local)


def no_budget(report):
    return report.budget | {"day_micros": 0, "month_micros": 0}


def all_charts(report):
    span = (report.period.since, report.period.until)
    drawn = [
        charts.cost_elsewhere(listings.places(report)),
        charts.cost_by_day(report.days, *span, report.aims.day_cap_micros, usd),
        charts.went_on(outcome.frame(report)),
    ]
    return [chart._repr_mimebundle_()[0] for chart in drawn]


def test_charts_say_what_they_show(report):
    rows = [("any", None, 40, 10, 40, 0)]
    shown = replace(
        report, followed=pl.DataFrame(rows, schema=report.followed.schema, orient="row")
    )
    said = [bundle[VEGA_LITE]["description"] for bundle in all_charts(shown)]
    assert "Here: $0.0056" in said[0]
    assert "$0.0258 in all, at most $0.01 on 20 June 2024" in said[1]
    assert "All leads: 25% of 40" in said[2]


def test_errors_are_escaped(report):
    bad = report.errors.with_columns(pl.lit("<script>alert(1)</script>").alias("kind"))
    shown = replace(report, errors=bad)
    assert "<script" not in listings.errors(shown) + doing.steps(shown)


def test_leads_that_come_in_one_file_are_no_clear_change(report):
    """As many leads again, once in one file and once day by day."""
    before = pl.DataFrame({"day": range(28), "leads": [10] * 28})
    a_file = before.with_columns(leads=pl.when(pl.col("day") == 3).then(290).otherwise(10))
    daily = before.with_columns(leads=20)
    at_once, each_day = (
        replace(report, taken_days=now, taken_days_before=before).taken_change
        for now in (a_file, daily)
    )
    assert at_once.value == each_day.value == 2 * at_once.before == 560
    assert not at_once.is_clear
    assert each_day.low > 0.7


def test_whatever_a_lead_changes_is_marked_as_of_the_state(tmp_path):
    """The cost, executive and health reports again, after leads have come, ended and cost."""
    readers = (CostReport, ExecutiveReport, HealthReport)
    with new_workspace(tmp_path) as workspace:
        with workspace.warehouse.publish("rows of the tests"):
            fill(workspace.warehouse)
        workspace.attribution(["linear"])
        then = [reader.read(workspace) for reader in readers]
        put_rows(workspace.state, rows())
        now = [reader.read(workspace) for reader in readers]
    for before, after in zip(then, now, strict=True):
        old, new = (foot(each, each.edition).manifest for each in (before, after))
        moved = {name for name in old["figures"] if old["figures"][name] != new["figures"][name]}
        assert moved
        assert moved <= set(old["of_state"])
        assert set(old["of_state"]) <= old["figures"].keys()


def test_figures_go_into_the_manifest_as_plain_values(report):
    kept = figures(report)
    assert kept["aims"]["lead_micros"] == 50_000
    assert kept["ended"]["micros"] == 16_800
