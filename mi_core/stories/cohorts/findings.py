"""The cohorts report in short: who comes back, what changed, what to do, how sure that is.

Every sentence is written from the figures of one CohortsReport. What is said of a group says what
its return goes together with, never what caused it.
"""

from html import escape
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories import telling
from mi_core.stories.cohorts import curves, doing
from mi_core.stories.comparing import of_counts, said
from mi_core.stories.period import careful
from mi_core.tables import Html, points, tiles

if TYPE_CHECKING:
    import polars as pl

    from mi_core.stories.cohorts.figures import CohortsReport


def subtitle(report: "CohortsReport") -> Html:
    """The period, and what is looked at in it."""
    began = words.day(report.weekly.cohorts["cohort"][0])
    last = words.day(words.last_day(report.edition.period.until))
    return Html(
        f'<p class="subtitle"><strong>{began} to {last}</strong>, by week. New is who did '
        "something in the product for the first time; coming back is doing something again."
        f"{careful(report.edition)}</p>"
    )


def headline(report: "CohortsReport") -> Html:
    """New people, how many of them came back, who is active, and how often."""
    curve = curves.curve(report.weekly.cohorts)
    cohorts = report.weekly.cohorts
    new = int(cohorts.filter(cohorts["period"] == 0)["size"].sum())
    weeks = report.lifecycle.filter("is_complete")
    label = f"New in {words.count(cohorts['cohort'].n_unique(), 'week')}"
    shown: list[tuple[str, str, str | None]] = [(label, words.number(new), None)]
    for at in (1, 4):
        for row in curve.filter(curve["period"] == at).iter_rows(named=True):
            ends = words.between(row["low"], row["high"], words.percent)
            shown.append((f"Came back in week {at}", words.percent(row["rate"]), f"95 %: {ends}"))
    if weeks.height:
        active = words.number(_active(weeks)[-1])
        began = words.day(weeks["period"][-1])
        shown.append(("Active in the last whole week", active, f"which began on {began}"))
    return tiles(shown)


def summary(report: "CohortsReport") -> Html:
    """What happened, what it goes together with, and how sure that is."""
    sentences = [
        how_many(report),
        the_newest(report),
        by_channel(report),
        who_is_active(report),
        how_often(report),
        how_sure(report),
    ]
    return points(each for each in sentences if each)


def what_to_do(report: "CohortsReport") -> Html:
    """What the figures ask for, the most pressing first."""
    steps = doing.steps(report)
    if not steps:
        return Html('<p class="nothing">Nothing stands out: too few people came back or left.</p>')
    return Html(f"<ol>{''.join(f'<li>{each}</li>' for each in steps)}</ol>")


def how_many(report: "CohortsReport") -> str:
    """How many come back, and whether that goes on falling."""
    curve = curves.curve(report.weekly.cohorts)
    if not curve.height:
        return (
            "<strong>No second week is over yet</strong>, so that nothing can be said of who "
            "comes back."
        )
    first, last = curve.row(0, named=True), curve.row(-1, named=True)
    text = (
        f"<strong>{words.percent(first['rate'])} of new people came back in the week after their "
        f"first</strong> ({words.between(first['low'], first['high'], words.percent)})"
    )
    if last["period"] == first["period"]:
        return f"{text}."
    kept = "still " if last["rate"] >= first["rate"] / 2 else ""
    return (
        f"{text}; in week {last['period']} it was {kept}{words.percent(last['rate'])} "
        f"({words.between(last['low'], last['high'], words.percent)})."
    )


def the_newest(report: "CohortsReport") -> str:
    """How the newest cohorts did against those before, and what that goes together with."""
    found = curves.newest(report.weekly.cohorts, report.side)
    if not found:
        return ""
    cohorts = words.count(report.side, "cohort")
    lead = (
        f"<strong>Of the newest {cohorts}, {words.percent(found.change.value)} came back in week 1"
        f"</strong>, of the {report.side} before {words.percent(found.change.before)}: "
        f"{said(found.change)}."
    )
    why = curves.parts(report.by_channel.cohorts, report.side)
    if not (found.change.is_clear and why):
        return lead
    return f"{lead} {_why(why)}"


def by_channel(report: "CohortsReport") -> str:
    """Which first channels go with coming back clearly more or less often than all others."""
    found = curves.groups(report.by_channel.cohorts)
    if len(found) < 2:
        return ""
    clear = [each for each in found if each[2].is_clear]
    if not clear:
        return (
            "<strong>No first channel goes with coming back clearly more often</strong> than all "
            f"others: the differences between the {len(found)} may be chance."
        )
    each = [
        f"{escape(name)} {words.percent(change.value)}, {said(change)}"
        for name, _, change in sorted(clear, key=lambda row: -abs(row[2].value - row[2].before))[:3]
    ]
    return (
        "<strong>Where people first came from goes together with coming back</strong> in week 1, "
        f"against all others: {'; '.join(each)}."
    )


def who_is_active(report: "CohortsReport") -> str:
    """Who was active in the last whole week, and whether more came than stayed away."""
    weeks = report.lifecycle.filter("is_complete")
    if weeks.height < 2:
        return ""
    week = weeks.row(-1, named=True)
    if not _active(weeks)[-1]:
        fallen = of_counts(0, _active(weeks)[-2])
        before = telling.against(fallen if fallen.before else None, "the week before had")
        return f"<strong>Nobody was active in the last whole week</strong>{before}."
    came, gone = week["new"] + week["resurrecting"], week["dormant"]
    change = of_counts(came, gone)
    balance = ""
    if change.is_clear:
        more = "more" if change.low > 0 else "fewer"
        balance = f"; those who came, new or again after a pause, were clearly {more}"
    active = words.count(_active(weeks)[-1], "person was", "people were")
    return (
        f"<strong>{active} active in the last whole week</strong>: "
        f"{words.number(week['returning'])} came again, "
        f"{words.number(week['resurrecting'])} came back after a pause and "
        f"{words.number(week['new'])} were new. Of the week before, {words.number(gone)} stayed "
        f"away{balance}."
    )


def how_often(report: "CohortsReport") -> str:
    """On how many days half of those active are active."""
    days = report.stickiness
    total = int(days["people"].sum())
    if not total:
        return ""
    half = days.filter(days["people"].cum_sum() * 2 >= total)["active_periods"][0]
    once = words.percent(days["people"][0] / total)
    return (
        f"<strong>A typical active person came on {words.count(half, 'day')} of {days.height}"
        f"</strong>; {once} came on one day alone."
    )


def how_sure(report: "CohortsReport") -> str:
    """What makes the figures of this period doubtful."""
    doubts = []
    if not report.edition.is_compared:
        doubts.append(
            "events don't reach back far before these weeks, so that some who count as new may "
            "have come before"
        )
    if not curves.newest(report.weekly.cohorts, report.side):
        doubts.append("there are too few whole weeks to compare new cohorts with older ones")
    return f"<strong>Read with care:</strong> {'; '.join(doubts)}." if doubts else ""


def _why(why: curves.Parts) -> str:
    """The change taken apart; a part of no size isn't told."""
    mix, within = words.points(why.of_mix), words.points(why.of_shares)
    more = {True: "more", False: "fewer"}
    if abs(why.of_mix) < abs(why.of_shares) / 10:
        return (
            f"Both came by much the same channels; {more[why.of_shares > 0]} came back within each."
        )
    if abs(why.of_shares) < abs(why.of_mix) / 10:
        return "They came by other channels; within each, about as many came back."
    return (
        f"Taken apart by first channel, {mix} {more[why.of_mix > 0]} go with other channels that "
        f"they came by, and {within} {more[why.of_shares > 0]} with how many came back within each."
    )


def _active(weeks: "pl.DataFrame") -> list[int]:
    import polars as pl

    return weeks.select(pl.sum_horizontal("new", "returning", "resurrecting")).to_series().to_list()
