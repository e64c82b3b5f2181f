"""Which step of the funnel goes with the change in buyers.

Whoever took the last step took all: their number is that of the first step times the share who went
on at each. So the whole change is the product of the changes of the steps, and each has its part of
the logarithm. It says where the change lies, and not what brought it about.
"""

from dataclasses import dataclass
from html import escape
from math import log
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories import comparing, telling
from mi_core.stories.comparing import Change
from mi_core.tables import Column, Html, table

if TYPE_CHECKING:
    from mi_core.stories.acquisition import AcquisitionReport


@dataclass(frozen=True)
class Step:
    """A factor of how many took the last step: people at the first, then shares who went on.

    `start` is None of the first. `ratio` is how many times as many the change of this step alone
    would make of those at the last, and `part` its part of the whole change, in logarithms.
    """

    start: str | None
    end: str
    change: Change
    ratio: float
    part: float

    @property
    def name(self) -> str:
        return f"“{self.start}” to “{self.end}”" if self.start else f"“{self.end}”"


def last_step(report: "AcquisitionReport") -> Change | None:
    """How many took the funnel's last step, against the period before; None: not comparable."""
    if not report.is_compared or not report.funnel.height:
        return None
    return comparing.of_counts(
        int(report.funnel["people"][-1]), int(report.funnel_before["people"][-1])
    )


def steps(report: "AcquisitionReport") -> list[Step]:
    """The factors in order; none where a period has nobody at some step, or can't be compared."""
    now, before = (
        [int(people) for people in frame["people"]]
        for frame in (report.funnel, report.funnel_before)
    )
    if not report.is_compared or not now or not all((*now, *before)):
        return []
    names, among = report.funnel["step"].to_list(), len(now)
    changes = [comparing.of_counts(now[0], before[0], among=among)]
    changes += [
        comparing.of_shares(now[at], now[at - 1], before[at], before[at - 1], among=among)
        for at in range(1, among)
    ]
    ratios = [change.value / change.before for change in changes]
    whole = log(now[-1] / before[-1])
    return [
        Step(start, end, change, ratio, log(ratio) / whole if whole else 0.0)
        for start, end, change, ratio in zip([None, *names], names, changes, ratios, strict=False)
    ]


def what_changed(report: "AcquisitionReport") -> str:
    """Which step has most of a clear change at the last step; nothing where that is chance."""
    found, whole = steps(report), last_step(report)
    if whole is None or not whole.is_clear:
        return ""
    before = telling.against(whole, "the period before had")
    if not whole.value:
        return f"<strong>Nobody took all steps of the funnel</strong>{before}."
    if len(found) < 2:
        return ""
    most = max(found, key=lambda each: each.part)
    how_much = "All" if most.part >= 0.995 else "Most" if most.part > 0.5 else "The largest part"
    what = (
        f"in how many went on from {escape(most.name)}"
        if most.start
        else f"in how many came to {escape(most.name)}"
    )
    now, then = (_figure(most, each) for each in (most.change.value, most.change.before))
    sure = (
        "that change is clear" if most.change.is_clear else "that step's change alone may be chance"
    )
    return (
        f"<strong>{_people(whole.value)} took all steps of the funnel</strong>"
        f"{before}. {how_much} of that lies {what}: "
        f"{now}, and {then} before; {sure}. That step alone comes to {_buyers(most.ratio)} at "
        "the end."
    )


def table_of(report: "AcquisitionReport") -> Html:
    """Each step now and before, and what its change alone would have made of the last step."""
    import polars as pl

    found = steps(report)
    if len(found) < 2:
        return Html("")
    rows = [
        {
            "step": each.name,
            "now": _figure(each, each.change.value),
            "before": _figure(each, each.change.before),
            "change": comparing.said(each.change),
            "alone": _buyers(each.ratio).capitalize(),
        }
        for each in found
    ]
    columns = {
        "step": Column("Step"),
        "now": Column("Now", is_figure=True),
        "before": Column("Before", is_figure=True),
        "change": Column("Change"),
        "alone": Column("By itself, at the last step"),
    }
    caption = "What the change of each step comes to, by itself, at the last step"
    return table(pl.DataFrame(rows), columns, caption=caption)


def _people(number: float) -> str:
    return words.count(int(number), "person", "people")


def _figure(step: Step, value: float) -> str:
    return words.percent(value) if step.start else words.number(value)


def _buyers(ratio: float) -> str:
    if abs(ratio - 1) < 0.0005:
        return "as many"
    if ratio >= 2:
        return f"{ratio:.1f} times as many"
    return f"{words.percent(abs(ratio - 1))} {'more' if ratio > 1 else 'fewer'}"
