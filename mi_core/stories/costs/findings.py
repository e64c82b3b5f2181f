"""The cost report in short: what leads cost, how many succeed, what is left, what they bring.

Every sentence is written from the figures of one CostReport. What leads did later goes together
with what was found for them; no sentence says that it was done because of it.
"""

from html import escape
from typing import TYPE_CHECKING

from mi_core import tables, words
from mi_core.stories import telling
from mi_core.stories.costs import doing, naming, outcome
from mi_core.stories.costs.money import of_each, usd
from mi_core.stories.period import subtitle as period_of
from mi_core.tables import Html

if TYPE_CHECKING:
    from mi_core.stories.costs.figures import CostReport


def subtitle(report: "CostReport") -> Html:
    """The period, and the one that it is compared with."""
    return Html(f'<p class="subtitle">{period_of(report.edition)} Amounts are in US dollars.</p>')


def tiles(report: "CostReport") -> Html:
    """The headline figures; money only where anybody was asked for it."""
    ended, aims = report.ended, report.aims
    note = telling.note(report.taken_change if report.edition.is_compared else None)
    shown: list[tuple[str, str, str | None]] = [
        ("Leads taken", words.number(report.taken_change.value), note)
    ]
    if ended["leads"]:
        share = words.percent(ended["completed"] / ended["leads"])
        shown.append(("Completed", share, f"aim: {words.percent(aims.success)}"))
    if report.is_paid:
        shown.append(
            ("Cost of a lead", usd(report.lead_micros), f"aim: below {usd(aims.lead_micros)}")
        )
        held = report.total("held_micros")
        shown.append(
            ("Spent", usd(report.total("cost_micros")), f"and {usd(held)} held" if held else None)
        )
        left = aims.month_cap_micros - report.budget["month_micros"]
        month = f"{report.budget['day']:%B}"
        shown.append((f"Left for {month}", usd(max(0, left)), f"of {usd(aims.month_cap_micros)}"))
        shown.append(("Spared", usd(report.saved_micros), "by caches, lists and rules"))
    return tables.tiles(shown)


def summary(report: "CostReport") -> Html:
    """The main points, a sentence or two each."""
    said = [
        _what_a_lead_cost(report),
        _how_many_succeeded(report),
        _how_many_came(report),
        _what_is_left(report),
        _what_was_saved(report),
        _what_went_wrong(report),
        outcome.who_went_on(report),
        doing.in_short(report),
        _how_sure(report),
    ]
    return tables.points(each for each in said if each)


def _what_a_lead_cost(report: "CostReport") -> str:
    ended, aim = report.ended, usd(report.aims.lead_micros)
    if not ended["leads"]:
        before = report.ended_before["leads"] if report.edition.is_compared else 0
        had = f"; the period before had {words.number(before)}" if before else ""
        none = "<strong>No lead ended in this period</strong>, so that there is no cost of one"
        return f"{none}{had}."
    if not report.is_paid and not ended["micros"]:
        leads = words.count(ended["leads"], "lead")
        return (
            f"<strong>Nothing was paid for {leads}</strong>: no provider was asked. The answers "
            "are those of our own rules over behaviour, which are free, and less."
        )
    low, high = report.lead_range
    change = report.cost_change if report.edition.is_compared else None
    known = f" ({_between(low, high)})" if ended["leads"] > 1 else ""
    compared = (
        telling.against(
            change, "in the period before it was", write=_usd, fewer="less", many="much"
        )
        if change and change.before
        else ""
    )
    return (
        f"<strong>A lead cost {usd(report.lead_micros)}</strong>{known}, "
        f"{_against_aim(low, high, report.aims.lead_micros)} the aim of {aim}{compared}."
        f"{_elsewhere(report)}"
    )


def _against_aim(low: float, high: float, aim: int) -> str:
    if high < aim:
        return "below"
    return "above" if low >= aim else "with chance on both sides of"


def _elsewhere(report: "CostReport") -> str:
    """What the leads that had all providers cost, beside what others take."""
    compared, total = report.ended["compared"], report.ended["compared_micros"]
    if not compared:
        return ""
    names = [name for name in ("replaced_system", "clay") if name in report.elsewhere]
    said = [f"{naming.place(name)} {usd(report.elsewhere[name]['micros'])}" for name in names]
    if not said:
        return ""
    mine = ""
    if compared < report.ended["leads"]:
        price = usd(of_each(total, compared))
        mine = f" {words.number(compared)} of them had all providers, at {price} each."
    return f"{mine} Elsewhere a lead takes: {words.listed(said)}."


def _how_many_succeeded(report: "CostReport") -> str:
    ended, aim = report.ended, report.aims.success
    if not ended["leads"]:
        return ""
    low, high = report.success_range
    if low >= aim:
        verdict = f"clearly at the aim of {words.percent(aim)} or above"
    elif high < aim:
        verdict = f"clearly below the aim of {words.percent(aim)}"
    else:
        verdict = f"chance leaves open whether the aim of {words.percent(aim)} is met"
    partial = ended["partial"]
    lack = f"; {words.count(partial, 'of them lacks', 'of them lack')} a step" if partial else ""
    change = report.success if report.edition.is_compared and report.ended_before["leads"] else None
    compared = telling.against(change, "in the period before it was", write=words.percent)
    return (
        f"<strong>{words.percent(ended['completed'] / ended['leads'])} of "
        f"{words.count(ended['leads'], 'lead')} that ended were completed</strong> "
        f"({words.between(low, high, words.percent)}): {verdict}{compared}{lack}."
    )


def _how_many_came(report: "CostReport") -> str:
    change = report.taken_change
    compared = telling.against(
        change if report.edition.is_compared else None, "the period before had"
    )
    if not change.value:
        return f"<strong>No lead was taken in this period</strong>{compared}."
    now = [
        words.count(number, *said)
        for name, said in naming.STATES.items()
        if (number := report.state(name))
    ]
    return (
        f"<strong>{words.count(int(change.value), 'lead')} came in</strong>{compared}. "
        f"Of them {words.listed(now)}."
    )


def _what_is_left(report: "CostReport") -> str:
    budget, aims = report.budget, report.aims
    if not report.is_paid and not budget["month_micros"]:
        return ""
    month, cap = f"{budget['day']:%B}", aims.month_cap_micros
    spent = budget["month_micros"]
    pace = report.pace_micros
    over = ", more than the cap" if pace > cap else ""
    dearest, day = report.dearest_day
    daily = (
        f" The dearest day, {words.day(day)}, took {usd(dearest)} of {usd(aims.day_cap_micros)}."
        if dearest
        else ""
    )
    return (
        f"<strong>Of {usd(cap)} for {month}, {usd(max(0, cap - spent))} are left</strong>. At the "
        f"pace of this period, 30 days take {usd(pace)}{over}.{daily}"
    )


def _what_was_saved(report: "CostReport") -> str:
    known = [each for each in report.savings if each["micros"]]
    if not known:
        return ""
    most = max(known, key=lambda each: each["micros"])
    return (
        f"<strong>{usd(report.saved_micros)} were not spent</strong>, most of it "
        f"{naming.saving(most['name'])}: {words.count(most['times'], 'time')}, "
        f"{usd(most['micros'])}."
    )


def _what_went_wrong(report: "CostReport") -> str:
    calls, failed, lost = (report.total(name) for name in ("calls", "failed", "lost"))
    if not failed:
        return ""
    cost = report.total("failed_micros")
    said = f", and cost {usd(cost)} all the same" if cost else ", and cost nothing"
    if lost:
        are = "was" if lost == 1 else "were"
        known = f"; the others cost {usd(cost) if cost else 'nothing'}" if failed > lost else ""
        said = (
            f": of {words.number(lost)} that {are} sent without an answer nobody knows the cost, "
            f"{usd(report.total('lost_micros'))} at most{known}"
        )
    return f"<strong>{words.number(failed)} of {words.count(calls, 'call')} failed</strong>{said}."


def _how_sure(report: "CostReport") -> str:
    doubts = []
    ended, later = report.ended, report.ended["later"]
    if later:
        are = "is" if later == 1 else "are"
        doubts.append(
            f"{words.count(later, 'lead')} that ended after the scores {are} not on this page"
        )
    local = ended["leads"] - ended["compared"]
    if report.is_paid and local:
        doubts.append(
            f"{words.number(local)} of {words.count(ended['leads'], 'lead')} had no provider for "
            "some step, which makes the average smaller"
        )
    if held := report.total("held_micros"):
        doubts.append(f"{usd(held)} are held for calls of unknown cost, and count as spent")
    if not report.edition.is_compared:
        doubts.append("the period before isn't covered, so nothing is compared with it")
    return f"<strong>Read with care:</strong> {escape('; '.join(doubts))}." if doubts else ""


def _usd(micros: float | None) -> str:
    return usd(None if micros is None else round(micros))


def _between(low: float, high: float) -> str:
    return words.between(low, high, _usd)
