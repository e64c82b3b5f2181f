"""What to do about leads and their cost, computed from the figures: the dearest first."""

from collections.abc import Iterator
from fractions import Fraction
from html import escape
from typing import TYPE_CHECKING, Any

from mi_core import words
from mi_core.enrichment.calls import SHUT
from mi_core.stories.costs import naming
from mi_core.stories.costs.money import usd
from mi_core.tables import Html, points, sentence

if TYPE_CHECKING:
    from mi_core.stories.costs.figures import CostReport

ROOM = 10
"""A cap so many times what a month takes bounds no mistake."""

LEAST_SAVED = 10_000
"""Millionths that a change should spare in a period before it is advised."""


def in_short(report: "CostReport") -> str:
    """The first thing to do, and how many there are."""
    steps = list(_steps(report))
    if not steps:
        return "<strong>Nothing needs to be done</strong> about leads or their cost."
    more = len(steps) - 1
    rest = f" {words.number(more)} more below." if more else ""
    return f'<strong>What to do:</strong> {steps[0]}{rest} <a href="#what-to-do">See all</a>.'


def steps(report: "CostReport") -> Html:
    """All that there is to do, a sentence each."""
    found = list(_steps(report))
    if not found:
        return sentence("Nothing at the moment.")
    return points(each[:1].upper() + each[1:] for each in found)


def _steps(report: "CostReport") -> Iterator[str]:
    yield from _mend(report)
    yield from _settle(report)
    yield from _retry(report)
    yield from _caps(report)
    yield from _batch(report)


def _mend(report: "CostReport") -> Iterator[str]:
    """Providers whose account refused the newest call: every further call would be, too."""
    for row in report.providers.iter_rows(named=True):
        if row["last_status"] in SHUT:
            day, why = words.day(row["last_at"]), escape(words.plain(row["last_status"]))
            yield (
                f"mend the account of {_named(row)} (its last call, on {day}: {why}), then "
                f"<code>mi enrich reopen {escape(row['provider'])}</code>."
            )


def _settle(report: "CostReport") -> Iterator[str]:
    for row in report.providers.iter_rows(named=True):
        if row["unknown"]:
            name = escape(row["provider"])
            calls = words.count(row["unknown"], "call")
            yield (
                f"settle {calls} to {_named(row)} of unknown cost, for which "
                f"{usd(row['unknown_micros'])} are held, the first since "
                f"{words.day(row['unknown_since'])}: <code>mi enrich settle {name} --bill "
                "FILE</code> with its bill."
            )


def _retry(report: "CostReport") -> Iterator[str]:
    failed = report.lately["leads"] - report.lately["completed"]
    if failed:
        yield (
            f"try {words.count(failed, 'lead')} again that failed for good in the last "
            f"{report.aims.dead_letter_days:g} days, once the cause is mended: "
            '<code>mi enrich retry</code>. <a href="#what-went-wrong">What went wrong</a>.'
        )
    if partial := report.state("partial"):
        lead = words.count(partial, "lead lacks", "leads lack")
        yield (f"ask for what {lead}, which was left out: <code>mi enrich retry --partial</code>.")


def _caps(report: "CostReport") -> Iterator[str]:
    aims, pace, spent = report.aims, report.pace_micros, report.budget["month_micros"]
    cap = aims.month_cap_micros
    if spent and (spent >= aims.alert_share * cap or pace > cap):
        yield (
            f"raise the monthly cap of {usd(cap)}, or take fewer leads: {usd(spent)} of it are "
            f"gone, and at this pace 30 days take {usd(pace)}. Leads wait once it is used up."
        )
    elif pace and pace * ROOM < cap:
        fitting = _round_up(pace * ROOM / 2)
        if fitting < cap:
            yield (
                f"lower the monthly cap from {usd(cap)} to {usd(fitting)}: that is "
                f"{ROOM // 2} times what 30 days take at this pace, and bounds what a mistake can "
                "cost. Caps are in <code>overlay.toml</code>, under "
                "<code>enrichment.budget</code>."
            )


def _batch(report: "CostReport") -> Iterator[str]:
    rows = report.calls.filter(report.calls["step"] == "persona")
    at_once = Fraction(int(rows["at_once_micros"].sum()))
    spared = at_once * (1 - Fraction(str(report.aims.batch_share)))
    if spared >= LEAST_SAVED:
        yield (
            f"let personas wait for a batch (<code>mi enrich file FILE --batch</code>) where a day "
            f"is soon enough: of {usd(at_once)} that they cost, {usd(spared)} would have stayed."
        )


def _named(row: dict[str, Any]) -> str:
    return escape(naming.provider(row["provider"]))


def _round_up(micros: Fraction) -> int:
    """To a whole dollar, from ten on to tens."""
    dollars = -(-micros // 1_000_000)
    return int(dollars if dollars < 10 else -(-dollars // 10) * 10) * 1_000_000
