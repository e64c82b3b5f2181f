"""The personas report: its figures, sentences, tables and charts, on numbers easy to add up."""

from dataclasses import replace
from datetime import datetime

import polars as pl
import pytest
from report_samples import AS_OF, fill, intent, put
from stores import new_workspace

from mi_core import charts
from mi_core.definitions import load_definitions
from mi_core.drawing import VEGA_LITE
from mi_core.stories.foot import foot
from mi_core.stories.people import Then, kinds
from mi_core.stories.period import Edition, Period
from mi_core.stories.personas import PersonasReport, doing, findings, listings, mixing, sources

NAMES = {"pro": "Automation Pro", "maker": "Maker", "student": "Student"}
EDITION = Edition(Period(datetime(2024, 6, 30), 90), "0123456789ab", 3, True, "0123456789ab")
THEN = Then(datetime(2024, 5, 6), is_alike=True)

MOVES = (
    ("student", "student", 160),
    ("student", "pro", 50),
    ("student", "maker", 5),
    ("pro", "student", 5),
    ("pro", "pro", 20),
    ("maker", "maker", 20),
    ("maker", None, 4),
    (None, "student", 80),
    (None, "pro", 10),
)


def standing(**counts: tuple[int, int, int, int, int]) -> pl.DataFrame:
    """`people, ready, at_risk, drawn, high_intent` by persona."""
    columns = ("people", "ready", "at_risk", "drawn", "high_intent")
    frame = pl.DataFrame(
        [(n, slug, *counts.get(slug, (0,) * 5)) for n, slug in enumerate(NAMES, start=1)],
        schema=("position", "persona", *columns),
        orient="row",
    )
    return frame.with_columns(
        pl.when(pl.col("people").sum() > 0)
        .then(pl.col("people") / pl.col("people").sum())
        .alias("share"),
        *(pl.lit(50.0).alias(name) for name in ("median_intent", "median_risk")),
    )


def conversion(**counts: tuple[int, int, int, int]) -> pl.DataFrame:
    """`people, trials, buyers, revenue_cents` by persona."""
    return pl.DataFrame(
        [(slug, NAMES[slug], *counts.get(slug, (0,) * 4)) for slug in NAMES],
        schema=("persona", "label", "people", "trials", "buyers", "revenue_cents"),
        orient="row",
    ).with_columns(pl.col("people").alias("active"))


def bands(people: int) -> pl.DataFrame:
    rows = [(slug, slug, band, people) for slug in NAMES for band in charts.BANDS]
    return pl.DataFrame(rows, schema=("persona", "label", "band", "people"), orient="row")


CONFIDENCE = {"tenth": pl.Int32, "source": pl.String, "people": pl.Int64}


def report(**more: object) -> PersonasReport:
    given = {
        "edition": EDITION,
        "then": THEN,
        "about": pl.DataFrame(
            [(slug, f"What {slug} is like.", ["<i>fast", "fair"]) for slug in NAMES],
            schema=("persona", "description", "traits"),
            orient="row",
        ),
        "names": NAMES,
        "channel_names": {"email": "Email"},
        "terms": (("Intent", "How close."),),
        "standing": standing(
            student=(245, 0, 100, 20, 10), pro=(80, 30, 0, 60, 79), maker=(25, 0, 3, 5, 2)
        ),
        "moves": pl.DataFrame(MOVES, ("persona_then", "persona_now", "people"), orient="row"),
        "bands": bands(3),
        "ahead": conversion(student=(215, 20, 10, 1), pro=(25, 15, 10, 1), maker=(24, 2, 1, 1)),
        "result": conversion(student=(245, 9, 9, 100), pro=(80, 60, 40, 300), maker=(25, 0, 0, 0)),
        "channels": pl.DataFrame(
            [
                ("pro", "email", 60, 75),
                ("student", "<b>ad", 50, 100),
                ("student", "(none)", 60, 100),
            ],
            schema=("persona", "channel", "people", "people_of_any"),
            orient="row",
        ),
        "sources": pl.DataFrame(
            [("pro", "ai_enrichment", 20, 12), ("student", "behavior_analysis", 330, 330)],
            schema=("persona", "source", "people", "agreeing"),
            orient="row",
        ),
        "confidence": pl.DataFrame(
            [(5, "behavior_analysis", 330), (9, "ai_enrichment", 20)],
            schema=CONFIDENCE,
            orient="row",
        ),
    }
    return PersonasReport(**given | more)


def nobody() -> PersonasReport:
    full = report()
    empty = ("moves", "channels", "sources")
    return replace(
        full,
        standing=standing(),
        bands=bands(0),
        ahead=conversion(),
        result=conversion(),
        confidence=pl.DataFrame(schema=CONFIDENCE),
        then=Then(None, is_alike=True),
        **{name: getattr(full, name).clear() for name in empty},
    )


def test_mix_says_who_stayed_came_went_and_is_new():
    found = report().mix
    pro = found.filter(pl.col("persona") == "pro").row(0, named=True)
    assert (pro["people"], pro["people_then"]) == (80, 25)
    assert (pro["stayed"], pro["came"], pro["went"], pro["new"], pro["gone"]) == (20, 50, 5, 10, 0)
    assert found["share"].sum() == pytest.approx(1)
    assert found["share_then"].to_list() == [25 / 264, 24 / 264, 215 / 264]
    assert mixing.movers(report().moves) == (260, 60)
    assert mixing.main_source(report().moves, "pro") == ("student", 50)


def test_summary_says_who_they_are_how_the_mix_moved_and_who_buys():
    said = findings.summary(report())
    assert "The largest kind is Student (70%)</strong>, then Automation Pro (23%) and" in said
    assert "The share of Automation Pro has grown most since 6 May 2024</strong>, from 9%" in said
    assert "50 came from another kind, most from Student; 5 went to one; 10 are new." in said
    assert "Clear as well: Student, " in said
    assert "Who bought since 6 May 2024</strong>, against all others: Automation Pro 40%" in said
    assert "75% of revenue came from Automation Pro</strong>, who are 23% of people" in said
    assert "103 people are at risk of leaving</strong>; 100 of them resemble Student" in said
    assert "Read with care" not in said


def test_what_is_not_clear_is_not_told_as_news():
    still = [("student", "student", 200), ("pro", "pro", 50), ("student", "pro", 3)]
    quiet = report(
        moves=pl.DataFrame(still, ("persona_then", "persona_now", "people"), orient="row"),
        ahead=conversion(student=(200, 20, 10, 1), pro=(50, 6, 3, 1)),
    )
    said = findings.summary(quiet)
    assert "No kind's share has clearly changed</strong> since 6 May 2024" in said
    assert "No kind clearly buys more often</strong>" in said
    other = replace(quiet, then=replace(THEN, is_alike=False))
    assert "made by other definitions" in findings.how_sure(other)


def test_each_kind_is_told_what_stands_out_and_what_to_do():
    shown = report()
    student, pro, maker = doing.of_all(shown)
    assert doing.stands_out(pro).startswith("40% bought, others 5%; 60% started a trial, others")
    assert doing.to_do(pro, {"email": "Email"}) == (
        "Make an offer to the 30 people who look ready to buy. Bring more of them, as a test: they "
        "buy more often, and 80% of those who came did so by Email."
    )
    assert doing.to_do(student, {}).startswith("Win back first: 100 people are at risk.")
    assert doing.stands_out(maker) == "Nothing clear."
    table = listings.what_to_do(shown)
    assert table.count("<tr>") == 1 + 3
    assert "&lt;i&gt;fast and fair" in table


def test_tables_say_who_moved_what_each_does_and_where_they_came_from():
    shown = report()
    moves = listings.moves(shown)
    assert "Not there yet" in moves
    assert "No longer there" in moves
    assert '--heat: 0.23">50</span>' in moves
    assert '--heat: 0.00">160</span>' in moves
    assert '<td class="figure" data-label="Revenue">3.00</td>' in listings.standing(shown)
    channels = listings.channels(shown)
    assert "&lt;b&gt;ad" in channels
    assert "No known channel" in channels
    assert "80%" in channels
    said = sources.sources(shown)
    assert "330 go by behaviour and 20 by enrichment" in said
    assert "behaviour alone says the same of 12: 60% (39% to 78%)" in said


def test_an_earlier_scoring_that_is_missing_is_said():
    alone = replace(report(), then=Then(None, is_alike=True))
    assert "there is no earlier scoring" in findings.how_sure(alone)
    assert "by their persona of now" in findings.basis_note(alone)
    assert "there is no scoring in the first half" in listings.moves(alone)
    assert "compared" not in findings.subtitle(alone)


CHARTS = {
    "mix": lambda found: charts.persona_mix(found.mix),
    "trials": lambda found: charts.persona_rates(found.rates("trials"), "trials"),
    "buyers": lambda found: charts.persona_rates(found.rates("buyers"), "buyers"),
    "bands": lambda found: charts.persona_bands(found.bands, found.names),
    "confidence": lambda found: charts.persona_confidence(found.confidence),
}


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_chart_says_what_it_shows_or_that_there_is_nothing(chart):
    bundle, metadata = chart(report())._repr_mimebundle_()
    assert any(letter.isdigit() for letter in bundle[VEGA_LITE]["description"])
    assert metadata[VEGA_LITE]["table"].count("<tr>") >= 2
    bundle, _ = chart(nobody())._repr_mimebundle_()
    assert bundle["text/html"].startswith('<p class="nothing">')


def test_a_workspace_of_nobody_gives_sentences():
    empty = nobody()
    parts = (findings.subtitle, findings.headline, findings.summary, findings.basis_note)
    tables = (listings.what_to_do, listings.moves, listings.standing, listings.channels)
    said = "".join(part(empty) for part in (*parts, *tables, sources.sources))
    assert "Nobody has been scored" in said
    assert "nan" not in said.lower()


def test_kinds_have_short_names_unless_two_would_be_alike():
    definitions = load_definitions()
    assert kinds(definitions)["tech_entrepreneur"] == "Tech Entrepreneur"
    one = definitions.personas["tech_entrepreneur"]
    two = one.model_copy(update={"slug": "other", "label": "Tech Entrepreneur / Other"})
    alike = definitions.model_copy(update={"personas": {one.slug: one, "other": two}})
    assert kinds(alike)["other"] == "Tech Entrepreneur / Other"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with new_workspace(tmp_path_factory.mktemp("shop")) as workspace:
        with workspace.warehouse.publish("rows of the tests"):
            fill(workspace.warehouse)
            then = [intent(f"person {n:02}", 10, "low") | {"as_of": "2024-05-01"} for n in range(9)]
            put(workspace.warehouse, "lake.user_intent_score", *then)
        yield PersonasReport.read(workspace, as_of=AS_OF)


def test_figures_end_in_the_manifest(shop):
    assert shop.people == 24
    assert shop.then.as_of == datetime(2024, 5, 1)
    kept = foot(shop, shop.edition).manifest["figures"]
    assert kept["standing"][-1]["people"] == 24
    assert kept["then"]["as_of"] == "2024-05-01T00:00:00"
    assert "High is 50 or more" in listings.glossary(shop)
