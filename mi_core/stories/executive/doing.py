"""What to do, ranked: what makes the figures wrong, then what has got worse, then what would pay.

Each action is computed from the figures, and names the report that has the detail.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import islice
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories.cohorts import curves
from mi_core.stories.executive import doubting
from mi_core.stories.executive.figures import WEEKS
from mi_core.stories.personas import mixing

if TYPE_CHECKING:
    from mi_core.stories.executive.figures import ExecutiveReport

MOST = 5

TITLES = {
    "acquisition": "Who came, who bought, and who to act on",
    "attribution": "Who gets the credit, and how sure that is",
    "cohorts": "Who comes back",
    "personas": "Who they are, and what each kind does",
}
"""Reports by their title."""

_STEPS = {
    "buyers": "bought",
    "trials": "started a trial",
    "emails": "left an address",
}


@dataclass(frozen=True)
class Action:
    """What to do, in markup, and the title of the report with the detail."""

    what: str
    report: str


def actions(report: "ExecutiveReport") -> list[Action]:
    """The most pressing ones, at most MOST, in order."""
    return list(islice(_all(report), MOST))


def _all(report: "ExecutiveReport") -> Iterator[Action]:
    yield from _data(report)
    yield from _worse(report)
    yield from _fewer_come_back(report)
    yield from _ready(report)
    yield from _at_risk(report)
    yield from _spend(report)
    yield from _best_kind(report)
    yield from _welcome(report)


def _data(report: "ExecutiveReport") -> Iterator[Action]:
    if doubting.is_stale(report):
        yield _action(
            "Bring the data up to date",
            f"the newest event is {words.days(report.freshness['hours_behind'] / 24)} old.",
            "acquisition",
        )
    share = doubting.unknown_share(report)
    if share > doubting.UNKNOWN_SHARE and report.unknown_events.height:
        names = [f"“{escape(name)}”" for name in report.unknown_events["event_name"].head(3)]
        yield _action(
            f"Say what {words.listed(names)} mean"
            if len(names) > 1
            else f"Say what {names[0]} means",
            f"{words.percent(share)} of events have a name that the settings don't know.",
            "acquisition",
        )


def _worse(report: "ExecutiveReport") -> Iterator[Action]:
    """That clearly fewer came, and the step that a clearly smaller share of those took."""
    rates = {name: change for name in _STEPS if (change := report.rate(name))}
    came = report.change("people")
    if came and came.high < 0:
        yield _action(
            "Find out why fewer people came",
            f"{words.number(came.value) if came.value else 'nobody'}, in the period before "
            f"{words.number(came.before)}.",
            "acquisition",
        )
    fallen = {name: change for name, change in rates.items() if change.high < 0}
    if fallen:
        name, change = min(fallen.items(), key=lambda each: each[1].value / each[1].before)
        yield _action(
            f"Find out why a smaller share {_STEPS[name]}",
            f"of those who came it was {words.percent(change.value)}, in the period before "
            f"{words.percent(change.before)}.",
            "acquisition",
        )


def _fewer_come_back(report: "ExecutiveReport") -> Iterator[Action]:
    found = curves.newest(report.retention.cohorts, WEEKS // 3)
    if found and found.change.high < 0:
        yield _action(
            "Find out why fewer new people come back",
            f"of those new since {words.day(found.first)} it is "
            f"{words.percent(found.change.value)}, of those before "
            f"{words.percent(found.change.before)}.",
            "cohorts",
        )


def _ready(report: "ExecutiveReport") -> Iterator[Action]:
    if ready := report.to_act_on["ready"]:
        yield _action(
            f"Make an offer to the {_people(ready)} who look ready to buy",
            "their intent is high, and they haven't bought in the last 30 days.",
            "acquisition",
        )


def _at_risk(report: "ExecutiveReport") -> Iterator[Action]:
    at_risk, change = report.to_act_on["at_risk"], report.risk_change
    if not at_risk:
        return
    why = "they once bought, tried or left an address, and are drifting away."
    if report.then.as_of and change.is_clear:
        way = "more" if change.low > 0 else "less"
        why = (
            f"that is {words.percent(change.value)} of those whom we know, {way} than on "
            f"{report.then} ({words.percent(change.before)})."
        )
    yield _action(f"Win back the {_people(at_risk)} at risk of leaving", why, "acquisition")


def _spend(report: "ExecutiveReport") -> Iterator[Action]:
    """The channel that gets clearly less credit than spend, or else more, by every model."""
    budget = report.credit.budget
    if budget.height < 2:
        return
    for way, lead in (("less", "Look into what is spent on"), ("more", "Try spending more on")):
        found = budget.filter(f"is_{way}")
        for row in found.head(1).iter_rows(named=True):
            share = words.between(row["lowest_share"], row["highest_share"], words.percent)
            yield _action(
                f"{lead} {escape(row['label'])}{', as a test' if way == 'more' else ''}",
                f"it has {words.percent(row['spend_share'])} of the spend, and {share} of the "
                "credit of all channels with spend.",
                "attribution",
            )


def _welcome(report: "ExecutiveReport") -> Iterator[Action]:
    curve = curves.curve(report.retention.cohorts)
    if curve.height and curve["rate"][0] < 1:
        yield _action(
            "Write to new people within their first days",
            f"{words.percent(1 - curve['rate'][0])} don't come back to the product in the week "
            "after their first.",
            "cohorts",
        )


def _best_kind(report: "ExecutiveReport") -> Iterator[Action]:
    """The kind of people who bought clearly more often than all others."""
    found = mixing.compared(report.ahead, "buyers")
    clear = {slug: change for slug, (_, _, change) in found.items() if change.low > 0}
    if clear:
        slug = max(clear, key=lambda each: clear[each].value - clear[each].before)
        part, size, _ = found[slug]
        yield _action(
            f"Look for more people like {escape(report.names.get(slug, slug))}, as a test",
            f"{words.number(part)} of {words.number(size)} who were so on {report.then} have "
            f"bought since ({words.percent(part / size)}), of all others "
            f"{words.percent(clear[slug].before)}.",
            "personas",
        )


def _action(what: str, why: str, report: str) -> Action:
    return Action(f"<strong>{what}</strong>: {why}", TITLES[report])


def _people(number: int) -> str:
    return words.count(number, "person", "people")
