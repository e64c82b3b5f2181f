"""The acquisition report in short: what happened, what changed, what to do, how sure that is.

Every sentence is written from the figures of one AcquisitionReport, so that words and charts agree.
"""

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from mi_core import tables, words
from mi_core.tables import Html

if TYPE_CHECKING:
    from mi_core.stories.acquisition import AcquisitionReport

STALE_HOURS = 48
UNKNOWN_SHARE = 0.05
"""From here on the report says that its figures need care."""

Writer = Callable[[float | None], str]

FIGURES: dict[str, tuple[str, Writer]] = {
    "people": ("People who came", words.number),
    "new_people": ("For the first time", words.number),
    "emails": ("Left an email address", words.number),
    "trials": ("Started a trial", words.number),
    "buyers": ("Bought", words.number),
    "purchases": ("Purchases", words.number),
    "revenue_cents": ("Revenue", words.money),
}
"""Headline figures in order, the first two and the buyers shown even when they are 0."""

_ALWAYS = ("people", "new_people", "buyers")


def subtitle(report: "AcquisitionReport") -> Html:
    """The period, and the one it is compared with, in words."""
    days = words.count(report.period.days, "day")
    compared = "" if report.figure("people")[1] is None else f", compared with the {days} before"
    return Html(
        f'<p class="subtitle"><strong>{report.period}</strong> ({days}){compared}. '
        f"Scores as of {words.moment(report.period.until)}.</p>"
    )


def tiles(report: "AcquisitionReport") -> Html:
    """The headline figures with their change, those that never occur left out."""
    shown = [
        _tile(*FIGURES[name], *report.figure(name))
        for name in FIGURES
        if name in _ALWAYS or any(report.figure(name))
    ]
    return tables.tiles(shown)


def summary(report: "AcquisitionReport") -> Html:
    """What happened, what changed, and what to do, a sentence or two each."""
    said = [
        _who_came(report),
        _who_bought(report),
        _weakest_step(report),
        _how_drawn(report),
        _what_to_do(report),
        _how_sure(report),
    ]
    return tables.points(each for each in said if each)


def funnel_note(report: "AcquisitionReport") -> Html:
    """How the funnel counts, and why it may end in fewer people than have bought."""
    text = "Each bar counts the people who took this step after the one above, within the period."
    if report.bought_off_path:
        others = words.count(report.bought_off_path, "more person", "more people")
        text += (
            f" {others} bought without taking every step in this order, such as those whose "
            "earlier steps lie before the period."
        )
    return Html(f"<p>{text}</p>")


def _who_came(report: "AcquisitionReport") -> str:
    (people, before), (new, _) = report.figure("people"), report.figure("new_people")
    if not people:
        return "<strong>Nobody was active in this period.</strong>"
    compared = (
        f", {words.change(people, before)} in the period before" if before is not None else ""
    )
    return (
        f"<strong>{_people(people)} came</strong>{compared}; "
        f"{words.number(new)} of them for the first time."
    )


def _who_bought(report: "AcquisitionReport") -> str:
    (people, _), (buyers, before) = report.figure("people"), report.figure("buyers")
    if not buyers:
        return "<strong>Nobody bought</strong> in this period." if people else ""
    purchases, _ = report.figure("purchases")
    compared = (
        f": {words.change(buyers, before)} in the period before" if before is not None else ""
    )
    return (
        f"<strong>{_people(buyers)} bought</strong>, "
        f"{words.percent(buyers / people)} of those who came{compared}. "
        f"Together they made {words.count(purchases, 'purchase')}."
    )


def _weakest_step(report: "AcquisitionReport") -> str:
    import polars as pl

    rates = report.funnel.filter(pl.col("rate_of_previous").is_not_null()).sort(
        "rate_of_previous", "position"
    )
    if not rates.height:
        return ""
    worst = rates.row(0, named=True)
    start = report.funnel["step"][worst["position"] - 2]
    [before] = report.funnel_before.filter(pl.col("position") == worst["position"])[
        "rate_of_previous"
    ]
    comparable = report.figure("people")[1] is not None and before is not None
    compared = f"; in the period before it was {words.percent(before)}" if comparable else ""
    rate, end = worst["rate_of_previous"], worst["step"]
    return (
        f"<strong>The weakest step is from “{escape(start)}” to “{escape(end)}”</strong>: "
        f"{words.percent(rate) if rate else 'nobody'} went on{compared}."
    )


def _how_drawn(report: "AcquisitionReport") -> str:
    import polars as pl

    drawn = report.bands.filter(pl.col("band").is_in(["warm", "hot"]))
    shares = drawn.group_by("as_of").agg(pl.col("share").sum()).sort("as_of")
    if not shares.height:
        return ""
    now = shares["share"][-1]
    compared = ""
    if shares.height > 1:
        was, at = shares["share"][0], words.day(shares["as_of"][0])
        compared = f"; on {at} it was {words.percent(was)}"
    return (
        f"<strong>{words.percent(now)} of people are warm or hot</strong>, the bands of those who "
        f"come back by themselves{compared}."
    )


def _what_to_do(report: "AcquisitionReport") -> str:
    ready, at_risk = report.listed("ready_to_buy"), report.listed("at_risk")
    steps = []
    if ready:
        steps.append(f"make an offer to {_people(ready)} who look ready to buy")
    if at_risk:
        steps.append(f"win back {_people(at_risk)} at risk of leaving")
    if not steps:
        return "<strong>Nobody needs action now</strong>: no one is at risk or about to buy."
    return (
        f"<strong>What to do:</strong> {words.listed(steps)}. "
        '<a href="#who-to-act-on">See who they are</a>.'
    )


def _how_sure(report: "AcquisitionReport") -> str:
    doubts = _doubts(report)
    if not doubts:
        return ""
    return f"<strong>Read with care:</strong> {words.listed(doubts)}."


def _doubts(report: "AcquisitionReport") -> list[str]:
    events, unknown = report.total("events"), report.total("unknown")
    behind = report.freshness["hours_behind"]
    doubts = []
    if behind is not None and behind > STALE_HOURS:
        doubts.append(f"the newest event is {words.days(behind / 24)} older than the scores")
    if events and unknown / events > UNKNOWN_SHARE:
        doubts.append(
            f"{words.percent(unknown / events)} of events have a name that the settings "
            "don't know, and add to no score"
        )
    if report.figure("people")[1] is None:
        doubts.append("the period before isn't covered, so nothing is compared with it")
    return doubts


def _tile(label: str, write: Writer, value: int, before: int | None) -> tuple[str, str, str | None]:
    return label, write(value), words.against(value, before, write)


def _people(number: int) -> str:
    return words.count(number, "person", "people")
