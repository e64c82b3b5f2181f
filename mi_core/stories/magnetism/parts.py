"""What the index is made of, which part moved, and whether the last week was unusual."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

from mi_core import tables, words
from mi_core.shares import CONFIDENCE
from mi_core.stories import telling
from mi_core.tables import Column, Html, table

if TYPE_CHECKING:
    from mi_core.stories.magnetism.figures import MagnetismReport

NAMES = {
    "intent": "Intent",
    "engagement": "Regular use",
    "reactivation": "Returns after a pause",
    "email_ctr": "Email clicks",
    "social_returns": "Visits from social channels",
    "bonus": "Trial, purchase, and rounding",
    "index": "Index",
}
FEWEST = 20
"""People scored both times; a mean of fewer has no normal interval."""

_Z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / len(NAMES) / 2)
"""For intervals that hold together: the part that moved most is picked from all."""


@dataclass(frozen=True)
class Part:
    """Average points of a part; and its change among those scored both times, with an interval."""

    name: str
    average: float | None
    before: float | None
    change: float | None
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        return self.low > 0 or self.high < 0


def parts(report: "MagnetismReport") -> list[Part]:
    """The parts of the index, and the index itself last."""
    return [_part(**row) for row in report.parts.iter_rows(named=True)]


def what_moved(report: "MagnetismReport") -> str:
    """Which part moved most among those scored both times, where that is no chance."""
    moved = [each for each in parts(report) if each.change is not None]
    if len(moved) < 2:
        return ""
    *inner, index = moved
    begin, both = words.day(report.scored_at("begin")), int(report.parts["both"][-1])
    among = f"the {words.number(both)} people scored on {begin} and now"
    clear = [each for each in inner if each.is_clear]
    if not clear:
        return f"<strong>No part of the index moved clearly</strong> among {among}."
    most = max(clear, key=lambda each: abs(each.change or 0))
    overall = (
        f"The index as a whole: {_moved(index)}"
        if index.is_clear
        else "The index as a whole has not clearly moved"
    )
    return (
        f"<strong>What moved most is {NAMES[most.name].lower()}</strong>: {_moved(most)} on "
        f"average among {among}. {overall}."
    )


def made_of(report: "MagnetismReport") -> Html:
    """A table of the parts: what they can give, give now and gave, and how that moved."""
    import polars as pl

    if not report.people:
        return tables.sentence("Nobody has been scored, so there is no index to take apart.")
    begin = report.scored_at("begin")
    rows = [
        {
            "part": NAMES[each.name],
            "most": _most(report, each.name),
            "average": each.average,
            "before": each.before,
            "change": "–" if each.change is None else _change(each),
        }
        for each in parts(report)
    ]
    columns = {
        "part": Column("Part"),
        "most": Column("Points at most", words.number, is_figure=True),
        "average": Column("Average now", _points, is_figure=True),
    }
    if begin:
        columns["before"] = Column(f"On {words.day(begin)}", _points, is_figure=True)
        columns["change"] = Column("Change of those scored both times", is_figure=True)
    schema = {"before": pl.Float64, "average": pl.Float64}
    return table(
        pl.DataFrame(rows, schema_overrides=schema), columns, caption="Average points of each part"
    )


def pace_note(report: "MagnetismReport") -> Html:
    """Whether more people than usual are drawn less strongly in the last week."""
    if not report.has_pace:
        return Html("")
    weaker, begin = report.paced("weaker"), report.scored_at("begin")
    compared = telling.against(
        weaker if begin else None, f"on {words.day(begin)} it was", write=words.percent
    )
    return Html(
        "<p>A week holds fewer acts than a month, so that its index is mostly lower. "
        f"{words.percent(weaker.value)} of people have "
        f"{report.trend_change:g} points or more less over 7 days{compared}. "
        f"{words.percent(report.paced('stronger').value)} have as many more: whom something "
        "draws just now.</p>"
    )


def _part(
    part: str,
    people: int,
    points: int,
    people_then: int,
    points_then: int,
    both: int,
    change: int,
    change_squares: int,
) -> Part:
    average = points / people / 100 if people else None
    before = points_then / people_then / 100 if people_then else None
    if both < FEWEST:
        return Part(part, average, before, None, 0, 0)
    mean = change / both
    spread = _Z * sqrt(max(0, change_squares / both - mean**2) / (both - 1))
    return Part(part, average, before, mean / 100, (mean - spread) / 100, (mean + spread) / 100)


def _most(report: "MagnetismReport", name: str) -> float:
    if name == "bonus":
        return sum(report.points["bonuses"].values())
    return 100 if name == "index" else report.points["weights"][name]


def _points(value: float | None) -> str:
    return "–" if value is None else _signed(value).lstrip("+")


def _change(part: Part) -> str:
    return f"{_signed(part.change or 0)} ({_signed(part.low)} to {_signed(part.high)})"


def _moved(part: Part) -> str:
    size, way = abs(part.change or 0), "more" if part.low > 0 else "fewer"
    low, high = sorted((abs(part.low), abs(part.high)))
    return f"{size:.1f} points {way} ({low:.1f} to {high:.1f})"


def _signed(points: float) -> str:
    written = f"{abs(points):.1f}"
    return written if float(written) == 0 else f"{'+' if points > 0 else '−'}{written}"
