"""The executive report in short: what happened, why, who, at what cost, how sure that is.

Every sentence is written from the figures of one ExecutiveReport, and says no more than their
intervals allow. "Why" takes a figure apart; it never says what caused it.
"""

from html import escape
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories import period, telling
from mi_core.stories.cohorts import curves
from mi_core.stories.comparing import of_costs, of_moves, said
from mi_core.stories.executive.crediting import where_from
from mi_core.stories.executive.doing import actions
from mi_core.stories.executive.doubting import how_sure
from mi_core.stories.executive.figures import FIGURES, WEEKS
from mi_core.stories.personas import mixing
from mi_core.tables import Html, points, tiles

if TYPE_CHECKING:
    from mi_core.stories.executive.figures import ExecutiveReport

DRAWN = ("warm", "hot")
_ALWAYS = ("people", "new_people", "buyers")
_BEFORE = "the period before had"


def subtitle(report: "ExecutiveReport") -> Html:
    """The period, and the one it is compared with."""
    return Html(f'<p class="subtitle">{period.subtitle(report.edition)}</p>')


def headline(report: "ExecutiveReport") -> Html:
    """The headline figures with their change, those that never occur left out."""
    shown: list[tuple[str, str, str | None]] = []
    for name, label in FIGURES.items():
        if name not in _ALWAYS and not any(report.figure(name)):
            continue
        write = words.money if name == "revenue_cents" else words.number
        value, change = report.figure(name)[0], report.change(name)
        shown.append((label, write(value), telling.note(change, write=write)))
    shown.append(("Ready to buy", words.number(report.to_act_on["ready"]), "now"))
    shown.append(("At risk of leaving", words.number(report.to_act_on["at_risk"]), "now"))
    return tiles(shown)


def summary(report: "ExecutiveReport") -> Html:
    """The main points, a sentence or two each: purchases first."""
    sentences = [
        who_bought(report),
        who_came(report),
        where_from(report),
        who_they_are(report),
        how_drawn(report),
        what_it_cost(report),
        how_sure(report),
    ]
    return points(each for each in sentences if each)


def what_to_do(report: "ExecutiveReport") -> Html:
    """What to do, the most pressing first, each with the report that has the detail."""
    found = actions(report)
    if not found:
        return Html(
            '<p class="nothing">Nothing stands out: no figure has clearly changed, and nobody '
            "looks ready to buy or about to leave.</p>"
        )
    items = (f"<li>{each.what} <em>More in “{each.report}”.</em></li>" for each in found)
    return Html(f"<ol>{''.join(items)}</ol>")


def who_bought(report: "ExecutiveReport") -> str:
    """How many bought, for how much, and what that is made of."""
    (buyers, _), (people, _) = report.figure("buyers"), report.figure("people")
    if not people:
        before = telling.against(report.change("people"), _BEFORE)
        return f"<strong>Nobody was active in this period</strong>{before}."
    if not buyers:
        before = telling.against(report.change("buyers"), _BEFORE)
        return f"<strong>Nobody bought in this period</strong>{before}."
    change, rate, came = report.change("buyers"), report.rate("buyers"), report.change("people")
    lead = f"<strong>{_people(buyers)} bought</strong>"
    revenue, paid = report.figure("revenue_cents")[0], report.change("revenue_cents")
    more = f", {said(paid, fewer='less', many='much')}" if paid else ""
    worth = f" They paid {words.money(revenue)}{more}." if revenue else ""
    if change is None or rate is None or came is None:
        return f"{lead}, {words.percent(buyers / people)} of those who came.{worth}"
    return (
        f"{lead}, {said(change)}.{worth} Taken apart: people who came, {said(came)}; share of them "
        f"who bought, {words.percent(rate.value)}, {said(rate)}."
    )


def who_came(report: "ExecutiveReport") -> str:
    """New people, leads and trials, each against the period before."""
    told = []
    for name, did in (
        ("new_people", "came for the first time"),
        ("emails", "left an address"),
        ("trials", "started a trial"),
    ):
        value, before = report.figure(name)
        if value or before:
            change = report.change(name)
            more = f", {said(change)}" if change else ""
            told.append((f"{words.number(value)} {did}", more))
    if not told:
        return ""
    first, *others = told
    rest = "".join(f"; {what}{more}" for what, more in others)
    return f"<strong>{first[0]}</strong>{first[1]}{rest}."


def who_they_are(report: "ExecutiveReport") -> str:
    """The largest kind, and the one whose share has clearly changed most."""
    largest = report.mix.sort("people", descending=True, maintain_order=True).row(0, named=True)
    if not largest["people"]:
        return ""
    lead = (
        f"<strong>The largest kind of people is {escape(largest['label'])}</strong>, "
        f"{words.percent(largest['share'])} of all"
    )
    if report.then.as_of is None:
        return f"{lead}."
    changes = {slug: mixing.change(report.moves, report.names, slug) for slug in report.names}
    clear = [slug for slug in changes if changes[slug].is_clear]
    if not clear:
        return f"{lead}. No kind's share has clearly changed since {report.then}."
    slug = max(clear, key=lambda each: abs(changes[each].value - changes[each].before))
    return (
        f"{lead}. Since {report.then}, the share of {escape(report.names[slug])} has moved most: "
        f"{words.percent(changes[slug].value)}, {said(changes[slug])}."
    )


def how_drawn(report: "ExecutiveReport") -> str:
    """How many are drawn back, how many may leave, and how many new people come back."""
    if not report.to_act_on["people"]:
        return ""
    change = of_moves(
        (people, now in DRAWN if now else None, then in DRAWN if then else None)
        for then, now, people in report.band_moves.rows()
    )
    compared = f", {said(change)} since {report.then}" if report.then.as_of else ""
    return (
        f"<strong>{words.percent(change.value)} of people are warm or hot</strong>, the bands of "
        f"those who come back by themselves{compared}. {_who_to_act_on(report)}{_come_back(report)}"
    )


def what_it_cost(report: "ExecutiveReport") -> str:
    """What marketing and enrichment cost, in all and for each."""
    told = []
    spend, buyers = report.spend["cents"], report.figure("buyers")
    if spend:
        each = f", {words.money(spend / buyers[0])} for each who bought" if buyers[0] else ""
        told.append(
            f"<strong>{words.money(spend)} were spent on campaigns</strong>{each}"
            f"{_cost_compared(report)}."
        )
        days = report.edition.period.days
        if report.spend["days"] < days:
            told.append(f"Spend is known for {report.spend['days']} of {days} days only.")
    costs = report.costs
    if costs.leads:
        usd = costs.usd_per_lead or 0
        price = f"{usd:.3f} US dollars for each" if usd else "at no cost"
        gave = f"{words.number(costs.useful_leads)} gave more than behaviour alone does"
        if not costs.useful_leads:
            gave = "none gave more than behaviour alone does"
        told.append(
            f"{words.count(costs.leads, 'lead was', 'leads were')} enriched, {price}; {gave}."
        )
    return " ".join(told)


def _cost_compared(report: "ExecutiveReport") -> str:
    (buyers, before), spend = report.figure("buyers"), report.spend
    is_known = spend["days"] == spend["days_before"] and report.edition.is_compared
    if not (is_known and buyers and before and spend["cents_before"]):
        return ""
    change = of_costs(spend["cents"], buyers, spend["cents_before"], before)
    return f": {said(change, fewer='less', many='much')}"


def _who_to_act_on(report: "ExecutiveReport") -> str:
    ready, at_risk = report.to_act_on["ready"], report.to_act_on["at_risk"]
    if not (ready or at_risk):
        return "Nobody looks ready to buy or about to leave."
    looks = "looks" if ready == 1 else "look"
    are = "is" if at_risk == 1 else "are"
    return (
        f"{_people(ready)} {looks} ready to buy, {words.number(at_risk)} {are} at risk of leaving."
    )


def _come_back(report: "ExecutiveReport") -> str:
    side = WEEKS // 3
    found = curves.newest(report.retention.cohorts, side)
    if not found:
        return ""
    return (
        f" Of people new in the newest {side} weeks, {words.percent(found.change.value)} came back "
        f"to the product in the week after: {said(found.change)}."
    )


def _people(number: int) -> str:
    return words.count(number, "person", "people")
