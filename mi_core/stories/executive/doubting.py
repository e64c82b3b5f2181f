"""How sure the data of the executive report is."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories.period import STALE_HOURS

if TYPE_CHECKING:
    from mi_core.stories.executive.figures import ExecutiveReport

UNKNOWN_SHARE = 0.05
"""From here on the report says that its figures need care; as in the acquisition report."""


def how_sure(report: "ExecutiveReport") -> str:
    """What makes the figures doubtful, or that nothing does."""
    doubts = []
    if is_stale(report):
        behind = words.days(report.freshness["hours_behind"] / 24)
        doubts.append(f"the newest event is {behind} older than this report")
    if (share := unknown_share(report)) > UNKNOWN_SHARE:
        doubts.append(
            f"{words.percent(share)} of events have a name that the settings don't know, and add "
            "to no score"
        )
    if (quiet := quiet_days(report)) and report.total("events"):
        doubts.append(f"{words.count(quiet, 'day has', 'days have')} no event at all")
    if not report.edition.is_compared:
        doubts.append("the period before isn't covered, so that nothing is compared with it")
    if report.then.as_of is not None and not report.then.is_alike:
        doubts.append(
            f"the scores of {report.then} were made by other definitions, so that bands and "
            "personas may have moved by these alone"
        )
    if not doubts:
        newest = words.moment(report.freshness["last_event_at"])
        return (
            f"<strong>The data is in order</strong>: the newest event is of {newest}, and "
            f"{words.percent(unknown_share(report))} of events have an unknown name."
        )
    return f"<strong>Read with care:</strong> {'; '.join(doubts)}."


def is_stale(report: "ExecutiveReport") -> bool:
    behind = report.freshness["hours_behind"]
    return behind is not None and behind > STALE_HOURS


def unknown_share(report: "ExecutiveReport") -> float:
    """The share of events with a name that the taxonomy doesn't know."""
    events = report.total("events")
    return report.total("unknown") / events if events else 0.0


def quiet_days(report: "ExecutiveReport") -> int:
    return report.coverage["events"].to_list().count(0)
