"""The acquisition report in short: what happened, what changed, what to do, how sure that is.

Every sentence is written from the figures of one AcquisitionReport, so that words and charts agree.
"""

from html import escape
from typing import TYPE_CHECKING

from mi_core import tables, words
from mi_core.stories import comparing, telling
from mi_core.stories.acquisition import channels, steps
from mi_core.stories.period import STALE_HOURS, careful
from mi_core.tables import Html

if TYPE_CHECKING:
    from mi_core.stories.acquisition import AcquisitionReport

UNKNOWN_SHARE = 0.05
"""From here on the report says that its figures need care."""

FIGURES: dict[str, tuple[str, telling.Writer]] = {
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
    compared = f", compared with the {days} before" if report.is_compared else ""
    return Html(
        f'<p class="subtitle"><strong>{report.period}</strong> ({days}){compared}. '
        f"Scores as of {words.moment(report.period.until)}.{careful(report.edition)}</p>"
    )


def tiles(report: "AcquisitionReport") -> Html:
    """The headline figures with their change, those that never occur left out."""
    shown = [_tile(report, name) for name in FIGURES if name in _ALWAYS or any(report.figure(name))]
    return tables.tiles(shown)


def summary(report: "AcquisitionReport") -> Html:
    """What happened, what changed, and what to do, a sentence or two each."""
    said = [
        _who_came(report),
        _who_bought(report),
        steps.what_changed(report),
        channels.what_changed(report),
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
    people, _ = report.figure("people")
    new, _ = report.figure("new_people")
    if not people:
        compared = telling.against(report.change("people"), "the period before had")
        return f"<strong>Nobody was active in this period</strong>{compared}."
    compared = telling.against(report.change("people"), "the period before had")
    return (
        f"<strong>{_people(people)} came</strong>{compared}. {words.number(new)} of them came for "
        f"the first time{telling.against(report.change('new_people'), 'the period before had')}."
    )


def _who_bought(report: "AcquisitionReport") -> str:
    (people, _), (buyers, _) = report.figure("people"), report.figure("buyers")
    compared = telling.against(report.change("buyers"), "the period before had")
    if not buyers:
        return f"<strong>Nobody bought in this period</strong>{compared}." if people else ""
    purchases, _ = report.figure("purchases")
    share, was = report.buying_share, "in the period before it was"
    return (
        f"<strong>{_people(buyers)} bought</strong>{compared}. That is "
        f"{words.percent(buyers / people)} of those who came"
        f"{telling.against(share, was, write=words.percent)}. Together they made "
        f"{words.count(purchases, 'purchase')}{_revenue(report)}."
    )


def _revenue(report: "AcquisitionReport") -> str:
    """Of what was paid in the period, with its change."""
    value, _ = report.figure("revenue_cents")
    if not value:
        return ""
    change, was = report.change("revenue_cents"), "in the period before it was"
    compared = telling.against(change, was, write=words.money, fewer="less", many="much")
    return f"; revenue is {words.money(value)}{compared.replace('; ', ', ', 1)}"


def _weakest_step(report: "AcquisitionReport") -> str:
    import polars as pl

    rates = report.funnel.filter(pl.col("rate_of_previous").is_not_null()).sort(
        "rate_of_previous", "position"
    )
    if not rates.height:
        return ""
    worst = rates.row(0, named=True)
    at, rate, end = worst["position"] - 1, worst["rate_of_previous"], worst["step"]
    start = report.funnel["step"][at - 1]
    change = None
    if report.is_compared and report.funnel_before["people"][at - 1]:
        now, before = (
            (int(frame["people"][at]), int(frame["people"][at - 1]))
            for frame in (report.funnel, report.funnel_before)
        )
        change = comparing.of_shares(*now, *before)
    compared = telling.against(change, "in the period before it was", write=words.percent)
    return (
        f"<strong>The weakest step is from “{escape(start)}” to “{escape(end)}”</strong>: "
        f"{words.percent(rate) if rate else 'nobody'} went on{compared}."
    )


def _how_drawn(report: "AcquisitionReport") -> str:
    change, then = report.drawn_back, report.then
    if change is None:
        return ""
    compared = telling.against(
        change if then.as_of else None, f"on {then} it was", write=words.percent
    )
    return (
        f"<strong>{words.percent(change.value)} of people are warm or hot</strong>, the bands of "
        f"those who come back by themselves{compared}."
    )


def _what_to_do(report: "AcquisitionReport") -> str:
    ready, at_risk = report.listed("ready_to_buy"), report.to_act_on["at_risk"]
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
    if report.then.as_of and not report.then.is_alike:
        doubts.append(f"the scores of {report.then} were made with other definitions")
    if not report.is_compared:
        doubts.append("the period before isn't covered, so nothing is compared with it")
    return doubts


def _tile(report: "AcquisitionReport", name: str) -> tuple[str, str, str | None]:
    label, write = FIGURES[name]
    return label, write(report.figure(name)[0]), telling.note(report.change(name), write=write)


def _people(number: int) -> str:
    return words.count(number, "person", "people")
