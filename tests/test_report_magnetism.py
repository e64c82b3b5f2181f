"""What the magnetism report says of a small shop, and of less than that."""

import re
from dataclasses import replace

import polars as pl
import pytest
from report_samples import fill
from stores import new_workspace

from mi_core import charts
from mi_core.drawing import VEGA_LITE
from mi_core.errors import ReportError
from mi_core.stories.foot import figures
from mi_core.stories.magnetism import MagnetismReport, findings, groups, listings, parts

ALONE = {
    f"{scoring}_{what}": None for scoring in ("last", "week", "begin") for what in ("at", "version")
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    with new_workspace(tmp_path_factory.mktemp("shop")) as workspace:
        with workspace.warehouse.publish("rows of the tests"):
            fill(workspace.warehouse)
        return MagnetismReport.read(workspace, days=60)


@pytest.fixture
def large(report):
    """As if each person were fifty, with parts that were scored."""
    fifty = {
        name: getattr(report, name).with_columns(
            pl.col("^(people|people_then|stayed_away|at_risk|spent_cents|index_100)$") * 50
        )
        for name in ("moves", "risks", "risk_moves", "groups", "pace")
    }
    row = {"people": 1200, "points": 1_200_000, "people_then": 1200, "points_then": 2_400_000}
    steady = {"both": 1200, "change": 0, "change_squares": 0}
    fallen = {"both": 1200, "change": -1_200_000, "change_squares": 2 * 1_200_000_000}
    made_of = [
        {"part": name} | row | (fallen if name in ("engagement", "index") else steady)
        for name in parts.NAMES
    ]
    return replace(report, parts=pl.DataFrame(made_of), **fifty)


def text(markup: str) -> str:
    return re.sub(r"<[^>]+>", "", markup)


def test_the_subtitle_says_that_the_newest_event_is_old(report):
    assert "Careful" not in findings.subtitle(report)
    old = replace(report, edition=replace(report.edition, hours_behind=882 * 24.0))
    assert text(findings.subtitle(old)).endswith(
        ". Careful: the newest event is 882.0 days older than the end of this period, so what "
        "follows tells of the gap, not of people."
    )


def test_what_may_be_chance_is_not_told_as_news(report):
    said = text(findings.summary(report))
    assert "5 of 16 people whom we know are at risk of leaving, 31%" in said
    assert "on 1 May 2024 it was 25%: no clear change (−" in said
    assert "58% of people are warm or hot" in said
    assert "Since 1 June 2024 nobody became at risk, and nobody was won back." in said
    tile = '<dt>Warm or hot</dt><dd>{}</dd><dd class="note">{}</dd>'
    assert tile.format("58%", "▲ 25 points from 33%") in findings.tiles(report)
    bands = {"band_then": ["cold", "warm"] * 2, "band_now": ["warm", "cold", "cold", "warm"]}
    chance = replace(report, moves=pl.DataFrame(bands | {"people": [3, 1, 10, 10]}))
    assert tile.format("54%", "46% before: no clear change") in findings.tiles(chance)


def test_that_nobody_is_at_risk_any_more_is_told_with_how_many_were(large):
    calm = large.risk_moves.with_columns(is_at_risk=pl.lit(False))
    nobody = replace(large, risks=large.risks.with_columns(risk_from=pl.lit(0)), risk_moves=calm)
    said = text(findings.summary(nobody))
    assert (
        "None of 800 people whom we know is at risk of leaving; on 1 May 2024 it was 25%: 25"
        in said
    )


def test_what_is_clear_is_told_with_its_interval(large):
    said = text(findings.summary(large))
    assert "on 1 May 2024 it was 33%: 25 points more (23 to 27)" in said
    assert "What moved most is regular use: 10.0 points fewer (" in said
    assert "among the 1,200 people scored on 1 May 2024 and now" in said
    assert "The index as a whole: 10.0 points fewer" in said


def test_no_part_is_told_where_all_are_within_chance(large):
    noisy = large.parts.with_columns(pl.lit(10**12).alias("change_squares"))
    said = parts.what_moved(replace(large, parts=noisy))
    assert "No part of the index moved clearly" in said


def test_what_to_do_begins_with_those_who_bought(report):
    said = text(findings.summary(report))
    assert "What to do: begin with the 2 who have bought before; an email can reach 4" in said
    none = report.board.with_columns(pl.lit(0).alias("with_revenue"))
    assert "none of them has bought yet" in findings.summary(replace(report, board=none))


def test_the_rule_is_checked_where_there_are_enough_people(report, large):
    assert "there is none yet" in findings.rule_note(report)
    away = pl.when(pl.col("risk_from") >= 70).then(pl.col("people_then") * 4 // 5).otherwise(0)
    held = replace(large, risks=large.risks.with_columns(away.alias("stayed_away")))
    note = findings.rule_note(held)
    assert "Of the 50 people at risk on 1 May 2024, 80% have done nothing in the product" in note
    assert "of the 150 others whom we knew 0%: 80 points more (" in note
    assert "came back all the same" not in note
    assert "Read with care" not in findings.summary(held)
    told_little = replace(large, risks=large.risks.with_columns(pl.lit(0).alias("stayed_away")))
    assert "the rule told little" in findings.rule_note(told_little)
    assert "didn't clearly stay away more often" in findings.summary(told_little)


def test_a_group_stands_out_only_beyond_chance_among_all(report, large):
    rows = [
        {"kind": "channel", "key": key, "people": people, "at_risk": at_risk, "index_100": 0}
        for key, people, at_risk in (("email", 200, 90), ("<i>", 200, 40), ("few", 4, 4))
    ]
    told = replace(large, groups=pl.DataFrame(rows))
    assert [each.label for each in groups.groups(told, "channel")] == ["Email", "<i>"]
    said = findings.summary(told)
    assert "<strong>Of those who first came by Email, 45% are at risk</strong>" in said
    other = replace(told, labels={"email": "<script>"})
    assert "first came by &lt;script&gt;" in findings.summary(other)
    assert "first came by" not in findings.summary(report)


def test_moves_have_a_net_flow(report):
    table = text(listings.moves(report))
    assert "People by band, then and now" in table
    assert "More or fewer in all" in table
    assert "−6" in table
    assert "+6" in table


def test_the_board_says_what_is_known_and_what_to_do(report):
    board = text(listings.board(report))
    assert "5 of 5 people at risk" in board
    assert "1 purchase. Magnetism 40, 40 on 1 May 2024." in board
    assert "Send a win-back offer: this person has gone cold." in board
    ready = replace(report, board=report.board.with_columns(pl.lit(value=True).alias("is_ready")))
    assert "Make an offer: intent is high" in listings.board(ready)


def test_other_definitions_are_named(report):
    other = replace(report, scorings=report.scorings | {"begin_version": "older"})
    assert "the scores of 1 May 2024 were made with other definitions" in findings.summary(other)


def test_a_first_scoring_has_nothing_to_compare_with(report):
    first = replace(
        report,
        scorings=ALONE,
        moves=report.moves.with_columns(pl.lit(None, pl.String).alias("band_then")),
        risks=report.risks.with_columns(pl.lit(0).alias("people_then")),
        parts=report.parts.with_columns(pl.lit(0).alias("both")),
    )
    said = text(findings.summary(first))
    assert "there is one scoring alone, so that nothing is compared" in said
    assert "it was" not in said
    assert "nobody has moved between bands" in listings.moves(first)
    assert "no earlier scoring" in listings.risk_moves(first)
    assert "Newly at risk" not in findings.tiles(first)
    assert "None" not in listings.glossary(first)


def test_nobody_at_all_is_said_plainly(report):
    frames = {n: v.clear() for n, v in vars(report).items() if isinstance(v, pl.DataFrame)}
    empty = replace(report, scorings=ALONE, **frames)
    assert "Nobody has been scored." in findings.summary(empty)
    assert findings.tiles(empty).count("<dt>") == 1
    for part in (listings.moves, listings.board, listings.advice, parts.made_of):
        assert part(empty).startswith('<p class="nothing">')
    assert parts.pace_note(empty) == ""
    for bundle in all_charts(empty):
        assert bundle["text/plain"].endswith(".")
        assert VEGA_LITE not in bundle


def test_a_workspace_without_scores(tmp_path):
    with new_workspace(tmp_path) as empty, pytest.raises(ReportError, match="scored yet"):
        MagnetismReport.read(empty)


def all_charts(report):
    begin = report.scored_at("begin")
    drawn = [
        charts.risk_then_and_now(report.risks, begin),
        charts.stayed_away(report.rule_check, begin),
        *(
            charts.risk_by_group(groups.frame(report, kind), kind)
            for kind in ("persona", "channel")
        ),
        charts.band_windows(report.windows),
    ]
    return [chart._repr_mimebundle_()[0] for chart in drawn]


def test_charts_say_what_they_show(report):
    windows = report.windows.with_columns(pl.col("people").alias("people_7d"))
    for bundle in all_charts(replace(report, windows=windows)):
        spec = bundle[VEGA_LITE]
        assert spec["title"]["text"]
        assert any(letter.isdigit() for letter in spec["description"])
        assert "NaN" not in str(spec)


def test_figures_go_into_the_manifest_as_plain_values(report):
    kept = figures(report)
    assert kept["points"]["weights"]["intent"] == 30
    assert len(kept["board"]) == 5
