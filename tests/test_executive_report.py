"""The executive report: its figures, sentences, actions and charts, on a small shop."""

from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace

import polars as pl
import pytest
from attribution_samples import put_touches
from report_samples import AS_OF, fill, intent, put
from stores import new_workspace

from mi_core import charts
from mi_core.drawing import VEGA_LITE
from mi_core.errors import ReportError
from mi_core.ingest.classify import classification_version
from mi_core.reports import catalogue
from mi_core.stories.executive import (
    ExecutiveReport,
    crediting,
    doing,
    doubting,
    findings,
    listings,
)
from mi_core.stories.executive.figures import FIGURES
from mi_core.stories.foot import foot
from mi_core.stories.people import Then


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with new_workspace(tmp_path_factory.mktemp("shop")) as workspace:
        with workspace.warehouse.publish("rows of the tests"):
            fill(workspace.warehouse)
            then = [intent(f"person {n:02}", 10, "low") | {"as_of": "2024-05-01"} for n in range(9)]
            put(workspace.warehouse, "lake.user_intent_score", *then)
            put_touches(workspace.warehouse)
            version = classification_version(workspace.definitions)
            workspace.warehouse.sql(f"insert into lake.classification values ('{version}')")
        yield workspace


@pytest.fixture(scope="module")
def shop(workspace):
    return ExecutiveReport.read(workspace, as_of=AS_OF, days=90)


def with_figures(report: ExecutiveReport, **figures: tuple[int, int | None]) -> ExecutiveReport:
    """The report with other headline figures."""
    rows = [(name, *figures.get(name, report.figure(name))) for name in report.headline["figure"]]
    headline = pl.DataFrame(
        rows,
        schema={"figure": pl.String, "value": pl.Int64, "previous": pl.Int64},
        orient="row",
    )
    return replace(report, headline=headline)


def empty(report: ExecutiveReport) -> ExecutiveReport:
    nothing = {name: (0, None) for name in report.headline["figure"]}
    bare = with_figures(report, **nothing)
    frames = ("moves", "band_moves", "risk_moves", "bands", "unknown_events")
    return replace(
        bare,
        **{name: getattr(report, name).clear() for name in frames},
        ahead=report.ahead.with_columns(people=0, buyers=0),
        then=Then(None, is_alike=True),
        to_act_on={"people": 0, "ready": 0, "at_risk": 0, "in_both": 0},
        spend=dict.fromkeys(report.spend, 0),
        coverage=report.coverage.with_columns(events=0, unknown=0),
        freshness=report.freshness | {"hours_behind": None, "last_event_at": None},
        retention=replace(
            report.retention, cohorts=report.retention.cohorts.with_columns(size=0, people=0)
        ),
        attribution=replace(
            report.attribution,
            conversions=0,
            unattributed_conversions=0,
            credits=report.attribution.credits.clear(),
            disagreement=report.attribution.disagreement.clear(),
            moves=report.attribution.moves.clear(),
        ),
        edition=replace(report.edition, is_compared=False),
    )


def test_figures_are_of_one_snapshot_and_end_in_the_manifest(shop):
    assert shop.edition.period.until == AS_OF
    assert shop.attribution.lake_snapshot == shop.edition.lake_snapshot
    assert shop.attribution.until == AS_OF
    assert shop.then.as_of == datetime(2024, 5, 1)
    kept = foot(shop, shop.edition).manifest["figures"]
    assert kept["to_act_on"] == {"people": 24, "ready": 12, "at_risk": 5, "in_both": 0}
    assert len(kept["attribution"]["credits"]) > 3


def test_a_scoring_that_is_not_there_is_said(workspace):
    with pytest.raises(ReportError, match="no scores as of 2023"):
        ExecutiveReport.read(workspace, as_of="2023-01-01")


def test_tiles_call_a_change_clear_only_where_it_is(shop):
    report = with_figures(shop, people=(120, 100), buyers=(90, 30), emails=(0, 0), trials=(9, None))
    tiles = findings.headline(report)
    assert (
        '<dt>People who came</dt><dd>120</dd><dd class="note">100 before: no clear change' in tiles
    )
    assert '<dt>Bought</dt><dd>90</dd><dd class="note">▲' in tiles
    assert "Left an email address" not in tiles
    assert "<dt>Started a trial</dt><dd>9</dd></div>" in tiles


def test_buyers_are_taken_apart_into_people_and_their_share(shop):
    report = with_figures(shop, people=(2_000, 1_000), buyers=(200, 100), revenue_cents=(0, 0))
    assert findings.who_bought(report) == (
        "<strong>200 people bought</strong>, 2.0 times as many (1.6 to 2.6). Taken apart: people "
        "who came, 2.0 times as many (1.9 to 2.2); share of them who bought, 10%, no change."
    )


def test_from_many_to_none_is_told_with_how_many_there_were(shop):
    assert findings.who_bought(with_figures(shop, buyers=(0, 203))) == (
        "<strong>Nobody bought in this period</strong>; the period before had 203: 100% fewer (98% "
        "to 100%)."
    )
    nobody = with_figures(shop, people=(0, 203))
    assert "active in this period</strong>; the period before had 203: 100%" in (
        findings.who_bought(nobody)
    )
    asked = [each.what for each in doing.actions(nobody)]
    assert any(
        "why fewer people came</strong>: nobody, in the period before 203" in a for a in asked
    )
    gone = with_figures(shop, buyers=(0, 203), revenue_cents=(0, 500_000))
    paid = {"squares": 0.0, "squares_before": 203 * 2_500.0**2}
    assert "<dt>Revenue</dt><dd>0.00</dd>" in findings.headline(gone)
    assert "▼ 100% from" in findings.headline(replace(gone, paid=paid))


def test_risk_is_compared_among_those_who_are_known_and_mostly_the_same(shop):
    """Thirty more of a thousand: clear among the same people, and not among other ones."""
    stayed = {"was_at_risk": [True, False, False], "is_at_risk": [True, True, False]}
    moves = pl.DataFrame({"people": [100, 30, 870]} | stayed)
    report = replace(shop, risk_moves=moves, then=Then(datetime(2024, 5, 1), is_alike=True))
    [told] = [each.what for each in doing._at_risk(report)]
    assert "13% of those whom we know, more than on 1 May 2024 (10%)" in told
    assert report.risk_change.low > 0.015
    chance = moves.with_columns(people=pl.Series([100, 30, 25]))
    both = pl.concat(
        [chance, pl.DataFrame({"people": [25], "was_at_risk": [True]}), moves[2:]], how="diagonal"
    )
    [told] = [each.what for each in doing._at_risk(replace(report, risk_moves=both))]
    assert "are drifting away" in told
    assert shop.risk_moves["people"].sum() == 16


def test_credit_names_its_model_and_how_sure_its_lead_is(shop):
    said = crediting.where_from(shop)
    assert "gets most credit for the purchases</strong>" in said
    assert "Credit is a way of counting, here in equal parts to each touch" in said
    assert "Its lead is within noise. By first touch another comes first." in said
    assert "<b>spring" not in said
    assert shop.credited["value"].sum() == pytest.approx(1)
    assert (shop.credited["low"] <= shop.credited["value"]).all()


@pytest.mark.parametrize(
    ("clear", "firsts", "said"),
    [
        (["linear"], "email", "Its lead is clear. First and last touch say the same."),
        ([], "email", "Its lead is within noise. First and last touch say the same."),
        (["first_touch"], "email", "Its lead is within noise. First and last touch say the same."),
        (["linear"], "meta", "Its lead is clear. By first touch and last touch another comes fir"),
    ],
)
def test_a_lead_is_clear_only_by_the_model_that_is_told(clear, firsts, said):
    models = ["linear", "first_touch", "last_touch"]
    credit = SimpleNamespace(
        named=["email", "meta"],
        can_tell=True,
        leads_clearly=lambda _: clear,
        models=models,
        firsts={model: [firsts] for model in models},
    )
    assert crediting.how_sure(SimpleNamespace(credit=credit), "email").startswith(said)
    credit.can_tell = False
    few = crediting.how_sure(SimpleNamespace(credit=credit), "email")
    assert few.startswith("So few purchases can't tell channels apart.")


def test_cost_is_told_with_what_each_buyer_cost(shop):
    spent = {"cents": 100_000, "days": 90, "cents_before": 50_000, "days_before": 90}
    report = replace(with_figures(shop, buyers=(100, 100)), spend=spent)
    said = findings.what_it_cost(report)
    assert said.startswith("<strong>1,000 were spent on campaigns</strong>, 10.00 for each who")
    assert "bought: 2.0 times as much" in said
    less = replace(report, spend=spent | {"days": 20})
    assert "Spend is known for 20 of 90 days only." in findings.what_it_cost(less)
    costs = replace(shop.costs, leads=10, useful_leads=4, usd_per_lead=0.0234)
    said = findings.what_it_cost(replace(report, costs=costs))
    assert "10 leads were enriched, 0.023 US dollars for each; 4 gave more" in said


def test_actions_put_wrong_data_first_and_name_a_report(shop):
    first, *others = doing.actions(shop)
    assert "Say what “&lt;script&gt;alert(1)&lt;/script&gt;” means" in first.what
    assert (
        "a smaller share left an address</strong>: of those who came it was 14%" in others[0].what
    )
    assert "Make an offer to the 12 people" in others[1].what
    assert len(others) < doing.MOST
    known = {name: each.title for name, each in catalogue().items()}
    assert {name: known[name] for name in doing.TITLES} == doing.TITLES


def test_a_share_that_fell_clearly_asks_why(shop):
    report = with_figures(shop, people=(1_000, 1_000), trials=(50, 100), buyers=(99, 100))
    asked = [each.what for each in doing.actions(report)]
    assert any("why a smaller share started a trial" in what for what in asked)
    assert not any("bought</strong>: of those who came" in what for what in asked)


def test_doubts_are_said(shop):
    stale = replace(shop, freshness=shop.freshness | {"hours_behind": 72.0})
    assert "the newest event is 3.0 days older" in doubting.how_sure(stale)
    assert "Bring the data up to date" in doing.actions(stale)[0].what
    assert "have a name that the settings don't know" in doubting.how_sure(shop)
    fine = replace(shop, coverage=shop.coverage.with_columns(events=pl.lit(10), unknown=pl.lit(0)))
    assert doubting.how_sure(fine).startswith("<strong>The data is in order")


CHARTS = {
    "changes": lambda report: charts.changes(report.changes),
    "credit": lambda report: charts.credit_share(report.credited),
    "mix": lambda report: charts.persona_mix(report.mix),
    "bands": lambda report: charts.band_shares(report.bands),
}


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_chart_says_what_it_shows_or_that_there_is_nothing(shop, chart):
    bundle, metadata = chart(shop)._repr_mimebundle_()
    assert any(letter.isdigit() for letter in bundle[VEGA_LITE]["description"])
    assert metadata[VEGA_LITE]["table"].count("<tr>") >= 2
    bundle, _ = chart(empty(shop))._repr_mimebundle_()
    assert bundle["text/html"].startswith('<p class="nothing">')


def test_a_workspace_of_nobody_gives_sentences(shop):
    bare = empty(shop)
    said = "".join(
        part(bare)
        for part in (findings.subtitle, findings.headline, findings.summary, findings.what_to_do)
    )
    assert "Nobody was active in this period" in said
    assert "Nothing stands out" in said
    assert "nan" not in said.lower()


def test_changes_leave_out_what_has_no_interval(shop):
    report = with_figures(shop, people=(10, 0), buyers=(5, None), emails=(50, 40))
    assert "Left an email address" in report.changes["label"].to_list()
    assert FIGURES["people"] not in report.changes["label"].to_list()
    assert FIGURES["buyers"] not in report.changes["label"].to_list()


def test_words_have_the_limits_in_force(shop):
    words = listings.glossary(shop)
    assert "Intent of 50 or more" in words
    assert "Magnetism of 50 or more" in words
