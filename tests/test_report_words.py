"""Figures, sentences and tables of the report, without a browser or a kernel."""

from dataclasses import replace
from datetime import date, datetime

import polars as pl
import pytest
from report_samples import fill

from mi_core import charts, open_workspace, words
from mi_core.drawing import VEGA_LITE
from mi_core.errors import ReportError
from mi_core.stories import comparing, telling
from mi_core.stories.acquisition import AcquisitionReport, channels, findings, listings, steps
from mi_core.stories.people import Then
from mi_core.stories.period import Period
from mi_core.tables import Column, table


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (words.number(1234567.0), "1,234,567"),
        (words.number(None), "–"),
        (words.percent(0.126), "13%"),
        (words.percent(0.004), "0.4%"),
        (words.percent(0.999), "99.9%"),
        (words.percent(1), "100%"),
        (words.money(1250), "12.50"),
        (words.money(123456789), "1,234,568"),
        (words.price(13.5), "13.50"),
        (words.about(12.5), "12"),
        (words.about(1.5), "1.50"),
        (words.roughly(2_054.3), "2,100"),
        (words.roughly(194.4), "190"),
        (words.roughly(9.5), "9.50"),
        (words.amount(12.345), "12.3"),
        (words.amount(13.02), "13"),
        (words.amount(1234.5), "1,234"),
        (words.points(0.118), "12 points"),
        (words.points(-0.01), "1 point"),
        (words.points(0.004), "0.4 points"),
        (words.points(0.00001), "0.1 points"),
        (words.points(0), "0 points"),
        (words.points_between(0.08, 0.15), "8 to 15"),
        (words.points_between(-0.16, -0.08), "8 to 16"),
        (words.points_between(-0.02, 0.15), "−2 to +15"),
        (words.between(0.08, 0.15, words.percent), "8% to 15%"),
        (words.between(0.081, 0.082, words.percent), "8%"),
        (words.against(12, 10), "▲ 20% from 10"),
        (words.against(10, 10), "as before (10)"),
        (words.against(10, 0), "none before"),
        (words.days(3.25), "3.2 days"),
        (words.days(0.5), "12.0 h"),
        (words.days(0.01), "14 min"),
        (words.days(0.0001), "under a minute"),
        (words.day(date(2024, 6, 3)), "3 June 2024"),
        (words.moment(datetime(2024, 6, 3, 14, 5)), "3 June 2024, 14:05 UTC"),
        (words.day(words.last_day(datetime(2024, 6, 30))), "29 June 2024"),
        (words.day(words.last_day(datetime(2024, 6, 30, 1))), "30 June 2024"),
        (words.count(1, "person", "people"), "1 person"),
        (words.count(1200, "day"), "1,200 days"),
        (words.change(12, 10), "20% more than"),
        (words.change(5, 10), "50% fewer than"),
        (words.change(5, 5), "as many as"),
        (words.plain("pricing_view"), "pricing view"),
        (words.plain("time_on_site_per_min"), "time on site"),
        (words.listed(["a"]), "a"),
        (words.listed(["a", "b", "c"]), "a, b and c"),
    ],
)
def test_words(text, written):
    assert text == written


@pytest.mark.parametrize(
    ("change", "sentence", "note"),
    [
        (None, "", None),
        (comparing.of_counts(0, 0), "", None),
        (comparing.of_counts(5, 0), "; before it was none", "none before"),
        (
            comparing.of_counts(101, 100),
            "; before it was 100: no clear change",
            "100 before: no clear",
        ),
        (comparing.of_counts(140, 100), "; before it was 100: 40% more (", "▲ 40% from 100"),
        (comparing.of_counts(70, 100), "; before it was 100: 30% fewer (", "▼ 30% from 100"),
        (comparing.of_counts(300, 100), "100: 3.0 times as many (", "▲ 3.0 times 100"),
    ],
)
def test_a_change_is_told_no_more_surely_than_it_is(change, sentence, note):
    said = telling.against(change, "before it was")
    assert sentence in said
    assert bool(said) == bool(sentence)
    if note is None:
        assert telling.note(change) is None
    else:
        assert telling.note(change).startswith(note)


def test_shares_change_by_points():
    change = comparing.of_shares(300, 1000, 200, 1000)
    assert telling.against(change, "it was", write=words.percent).startswith(
        "; it was 20%: 10 points more ("
    )
    assert telling.note(change, write=words.percent) == "▲ 10 points from 20%"


def test_table_escapes_what_it_shows_and_sets_figures_flush_right():
    frame = pl.DataFrame({"name": ["<b>&"], "people": [1200]})
    columns = {"name": Column("Na<me"), "people": Column("People", words.number, is_figure=True)}
    html = table(frame, columns, caption="A & B")
    assert "<b>&" not in html
    assert 'scope="row" data-label="Na&lt;me">&lt;b&gt;&amp;</th>' in html
    assert '<td class="figure" data-label="People">1,200</td>' in html
    assert "<caption>A &amp; B</caption>" in html


def test_period_ends_before_its_last_instant():
    period = Period(datetime(2024, 6, 30), 90)
    assert str(period) == "1 April 2024 to 29 June 2024"
    assert period.previous == datetime(2024, 1, 2)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with open_workspace(tmp_path_factory.mktemp("shop")) as workspace:
        with workspace.warehouse.publish("rows of the tests"):
            fill(workspace.warehouse)
        yield workspace


@pytest.fixture(scope="module")
def report(workspace):
    return AcquisitionReport.read(workspace)


def test_report_is_about_the_newest_scoring(report):
    assert report.period.until == datetime(2024, 6, 30)
    assert report.edition.config_version == "test"
    assert report.edition.lake_snapshot > 0


def test_report_of_an_earlier_scoring(workspace):
    earlier = AcquisitionReport.read(workspace, as_of="2024-06-01T02:00:00+02:00", days=30)
    assert earlier.period == Period(datetime(2024, 6, 1), 30)
    assert earlier.bands["as_of"].max() == datetime(2024, 6, 1)


@pytest.mark.parametrize(
    ("as_of", "days", "said"),
    [
        ("2024-06-15", 90, "newest before that are as of 2024-06-01T00:00:00"),
        ("2023-01-01", 90, "no scores as of 2023-01-01T00:00:00 or before"),
        ("yesterday", 90, "not 'yesterday'"),
        (None, 0, "1 day or more, not 0"),
    ],
)
def test_report_says_what_is_wrong_with_its_parameters(workspace, as_of, days, said):
    with pytest.raises(ReportError, match=said):
        AcquisitionReport.read(workspace, as_of=as_of, days=days)


def test_report_of_a_workspace_without_scores(tmp_path):
    with open_workspace(tmp_path) as empty, pytest.raises(ReportError, match="scored yet"):
        AcquisitionReport.read(empty)


def test_summary_says_what_happened_what_changed_and_what_to_do(report):
    said = findings.summary(report)
    came = (
        "<strong>24 people came</strong>; the period before had 5: 4.8 times as many (1.8 to 16.1)"
    )
    assert came in said
    assert "19 of them came for the first time; the period before had 4: 4.8 times as" in said
    assert (
        "58% of people are warm or hot</strong>, the bands of those who come back by them" in said
    )
    assert "make an offer to 12 people who look ready to buy" in said
    assert "23% of events have a name that the settings don't know" in said


def test_what_may_be_chance_is_not_told_as_news(report):
    said = findings.summary(report)
    bought = "<strong>4 people bought</strong>; the period before had 2: too few to compare"
    assert bought in said
    assert "17% of those who came; in the period before it was 40%: no clear change" in said
    assert "weakest step is from “Left an email” to “Started a trial”</strong>: 33% went on" in said
    assert "took all steps of the funnel" not in said
    tiles = findings.tiles(report)
    assert '<dt>Bought</dt><dd>4</dd><dd class="note">2 before: no clear change</dd>' in tiles
    assert '<dd class="note">▲ 4.8 times 5</dd>' in tiles
    assert '<dt>Revenue</dt><dd>550.00</dd><dd class="note">' in tiles


def test_purchases_are_no_surer_than_the_people_who_made_them(report):
    """150 purchases after 100, by a handful of people: that may be chance."""
    headline = report.headline.with_columns(value=pl.lit(150), previous=pl.lit(100))
    few = {"purchase_squares": 150 * 30, "purchase_squares_before": 100 * 30}
    assert not replace(report, headline=headline, paid=few).change("purchases").is_clear
    many = {"purchase_squares": 150, "purchase_squares_before": 100}
    assert replace(report, headline=headline, paid=many).change("purchases").low > 0


def test_bands_are_compared_with_the_scoring_at_the_begin(report):
    rows = [("hot", "cold", 40), ("cold", "hot", 5), ("hot", "hot", 50), ("cold", None, 5)]
    moves = pl.DataFrame(rows, schema=["band_now", "band_then", "people"], orient="row")
    then = Then(datetime(2024, 5, 1), is_alike=True)
    moves = moves.select("band_then", "band_now", "people")
    moved = replace(report, band_moves=moves, then=then)
    assert moved.drawn_back.value == 0.9
    assert "58% of people are warm or hot</strong>, the bands of those" in findings.summary(report)
    said = findings.summary(moved)
    assert "<strong>90% of people are warm or hot</strong>" in said
    assert "on 1 May 2024 it was 58%: 32 points more (" in said
    other = replace(moved, then=replace(then, is_alike=False))
    assert "the scores of 1 May 2024 were made with other definitions" in findings.summary(other)


def funnel(report, people, before):
    """The report as if so many people had taken the steps, now and in the period before."""

    def taken(counts):
        return report.funnel.with_columns(pl.Series("people", counts))

    return replace(report, funnel=taken(people), funnel_before=taken(before))


def test_a_change_in_buyers_lies_at_a_step(report):
    fell = funnel(report, [1000, 500, 100, 50], [1000, 500, 200, 100])
    assert [round(each.part, 6) for each in steps.steps(fell)] == [0, 0, 1, 0]
    said = steps.what_changed(fell)
    assert "<strong>50 people took all steps of the funnel</strong>" in said
    assert "the period before had 100: 50% fewer (29% to 65%)" in said
    where = "All of that lies in how many went on from “Left an email” to “Started a trial”"
    assert f"{where}: 20%, and 40% before; that change is clear." in said
    assert "That step alone comes to 50% fewer at the end." in said


def test_parts_of_a_change_multiply_to_the_whole(report):
    both = steps.steps(funnel(report, [2000, 900, 100, 60], [1000, 500, 200, 100]))
    product = 1.0
    for each in both:
        product *= each.ratio
    assert product == pytest.approx(60 / 100)
    assert sum(each.part for each in both) == pytest.approx(1)
    assert max(both, key=lambda each: each.part).end == "Started a trial"


def test_more_people_at_the_first_step_may_be_all(report):
    grew = funnel(report, [4000, 2000, 800, 400], [1000, 500, 200, 100])
    said = steps.what_changed(grew)
    assert "All of that lies in how many came to “Landed”: 4,000, and 1,000 before" in said
    assert "comes to 4.0 times as many at the end" in said
    assert steps.table_of(grew).count("<tr>") == 1 + 4
    assert "no change" in steps.table_of(grew)


def test_a_change_that_may_be_chance_lies_nowhere(report):
    assert steps.what_changed(funnel(report, [100, 50, 20, 10], [100, 50, 20, 12])) == ""
    assert steps.what_changed(funnel(report, [100, 50, 20, 0], [100, 50, 20, 2])) == ""
    assert steps.table_of(funnel(report, [0, 0, 0, 0], [100, 50, 20, 12])) == ""


def test_from_many_to_none_is_told_with_how_many_there_were(report):
    assert steps.what_changed(funnel(report, [100, 50, 20, 0], [100, 50, 20, 12])) == (
        "<strong>Nobody took all steps of the funnel</strong>; the period before had 12: 100% "
        "fewer (64% to 100%)."
    )
    none = report.headline.with_columns(previous=pl.lit(80), value=pl.lit(0))
    said = findings.summary(replace(report, headline=none))
    assert (
        "<strong>Nobody was active in this period</strong>; the period before had 80: 100%" in said
    )
    everybody = pl.when(pl.col("figure") == "people").then(90).otherwise(0).cast(pl.Int64)
    came = replace(report, headline=none.with_columns(value=everybody))
    assert (
        "<strong>Nobody bought in this period</strong>; the period before had 80: 100% fewer (95%"
        in findings.summary(came)
    )
    nowhere = replace(report, headline=none, channels=report.channels.with_columns(people=0))
    assert "Nobody came in this period; the period before had 80" in channels.by_channel(nowhere)


def test_channels_change_beyond_chance_among_all_or_not(report):
    def with_channels(*rows):
        return replace(
            report, channels=pl.DataFrame(rows, schema=report.channels.schema, orient="row")
        )

    said = channels.what_changed(
        with_channels(("email", 200, 20, 100, 10), ("direct", 100, 5, 101, 5), ("<b>", 0, 0, 40, 2))
    )
    assert "The largest change by first channel is Email</strong>: 200 people came, 100" in said
    assert "100 before: 2.0 times as many (" in said
    assert "; 1 other channel changed clearly, too." in said
    # Alone it would be clear, not as the one picked of ten.
    few, many = (
        [(f"other {number}", 100, 5, 100, 5) for number in range(others)] for others in (1, 9)
    )
    assert "Email" in channels.what_changed(with_channels(("email", 140, 20, 98, 10), *few))
    assert channels.what_changed(with_channels(("email", 140, 20, 98, 10), *many)) == ""
    table = channels.by_channel(with_channels(("<b>", 50, 5, 40, 2), (None, 10, 0, 0, 0)))
    assert "&lt;b&gt;" in table
    assert "No known channel" in table
    assert "10% (4% to 21%)" in table


def test_the_subtitle_compares_where_the_period_before_is_covered(report):
    assert "(90 days), compared with the 90 days before. Scores as" in findings.subtitle(report)
    uncovered = report.headline.with_columns(pl.lit(None).alias("previous"))
    alone = AcquisitionReport(**{**vars(report), "headline": uncovered})
    assert "(90 days). Scores as of 30 June 2024" in findings.subtitle(alone)


def test_funnel_note_says_who_bought_by_another_way(report):
    assert report.funnel["people"].to_list() == [19, 9, 3, 1]
    assert "<p>Each bar counts" in findings.funnel_note(report)
    assert "3 more people bought without taking every step" in findings.funnel_note(report)


def test_tiles_leave_out_what_never_happens(report):
    tiles = findings.tiles(report)
    assert "<dt>Purchases</dt><dd>4</dd>" in tiles
    nothing = report.headline.with_columns(pl.lit(0).alias("value"), pl.lit(None).alias("previous"))
    quiet = findings.tiles(AcquisitionReport(**{**vars(report), "headline": nothing}))
    assert "Revenue" not in quiet
    assert "<dt>Bought</dt><dd>0</dd></div>" in quiet


def test_people_are_listed_with_a_reason_and_something_to_do(report):
    ready = listings.people(report, "ready_to_buy")
    assert ready.count("<tr>") == 1 + 12
    assert "Strongest signs: pricing view and page view." in ready
    assert "Offer what goes well with the last purchase." in ready
    assert "Make an offer for a first purchase." in ready
    at_risk = listings.people(report, "at_risk")
    assert "Send a win-back offer: this person has gone cold." in at_risk
    assert "1 purchase worth 12.50, the last on 6 February 2024." in at_risk


def test_all_who_are_at_risk_are_counted_and_those_listed_elsewhere_said(report):
    both = replace(report, to_act_on={"people": 24, "ready": 12, "at_risk": 8, "in_both": 3})
    assert (
        "5 of 8 people; 3 people at risk look ready to buy and belong to the list above"
        in listings.people(both, "at_risk")
    )
    assert "win back 8 people at risk of leaving" in findings.summary(both)
    none = replace(both, people=report.people.clear())
    assert "at the moment; 3 people at risk look" in listings.people(none, "at_risk")


def test_an_empty_list_is_a_sentence(report):
    nobody = dict.fromkeys(report.to_act_on, 0)
    alone = replace(report, people=report.people.clear(), to_act_on=nobody)
    assert listings.people(alone, "at_risk") == (
        '<p class="nothing">Nobody is on this list at the moment.</p>'
    )
    assert "Nobody needs action now" in findings.summary(alone)


def test_nothing_that_means_harm_reaches_the_page(report):
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in listings.unknown_events(report)
    assert "<script" not in listings.unknown_events(report)


FRAMES = {
    charts.acquisition_funnel: "funnel",
    charts.people_by_persona: "personas",
    charts.band_shares: "bands",
    charts.band_trend: "bands",
    charts.intent_distribution: "intent",
    charts.churn_risk: "churn",
    charts.coverage: "coverage",
}
each_chart = pytest.mark.parametrize(
    ("chart", "frame"), FRAMES.items(), ids=[chart.__name__ for chart in FRAMES]
)


@each_chart
def test_chart_says_what_it_shows_and_has_its_figures_beside_it(report, chart, frame):
    bundle, metadata = chart(getattr(report, frame))._repr_mimebundle_()
    spec = bundle[VEGA_LITE]
    assert spec["title"]["text"]
    assert any(letter.isdigit() for letter in spec["description"])
    assert bundle["text/plain"] == spec["description"]
    assert metadata[VEGA_LITE]["table"].count("<tr>") >= 2
    assert metadata[VEGA_LITE]["embed_options"]["renderer"] == "svg"
    assert "usermeta" not in spec


@each_chart
def test_chart_of_nothing_is_a_sentence(report, chart, frame):
    bundle, _ = chart(getattr(report, frame).clear())._repr_mimebundle_()
    assert VEGA_LITE not in bundle
    assert bundle["text/html"] == f'<p class="nothing">{bundle["text/plain"]}</p>'
    assert bundle["text/plain"].endswith(".")


def test_trend_needs_two_scorings(report):
    first = report.bands.filter(pl.col("as_of") == pl.col("as_of").min())
    bundle, _ = charts.band_trend(first)._repr_mimebundle_()
    assert "needs two scorings" in bundle["text/plain"]


def _luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("paper", ["#ffffff", "#12161c"])
@pytest.mark.parametrize(
    "colour", sorted({*charts.BANDS.values(), *charts.LEVELS.values(), *charts.BOUGHT.values()})
)
def test_marks_stand_out_on_light_and_dark_pages(colour, paper):
    light, dark = sorted((_luminance(colour), _luminance(paper)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3
