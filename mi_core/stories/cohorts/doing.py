"""What the figures of the cohorts report ask for."""

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories.cohorts import curves

if TYPE_CHECKING:
    from mi_core.stories.cohorts.figures import CohortsReport


def steps(report: "CohortsReport") -> list[str]:
    """Sentences in markup, the most pressing first; each names the figure that it goes by."""
    found = [
        _look_at_the_newest(report),
        _welcome(report),
        _write_to_the_dormant(report),
        *_channels(report),
    ]
    return [each for each in found if each]


def _look_at_the_newest(report: "CohortsReport") -> str:
    found = curves.newest(report.weekly.cohorts, report.side)
    if not found or not found.change.is_clear:
        return ""
    since, is_better = words.day(found.first), found.change.low > 0
    ask = "Find out what has gone well since {}, and keep it"
    if not is_better:
        ask = "Find out what has gone wrong since {}"
    return (
        f"<strong>{ask.format(since)}</strong>: of people new since then, "
        f"{words.percent(found.change.value)} came back in week 1; of those before, "
        f"{words.percent(found.change.before)}."
    )


def _welcome(report: "CohortsReport") -> str:
    """The step at which most are lost."""
    curve = curves.curve(report.weekly.cohorts)
    if not curve.height:
        return ""
    rates = [1.0, *curve["rate"].to_list()]
    lost = [before - after for before, after in pairwise(rates)]
    worst = lost.index(max(lost))
    if max(lost) <= 0:
        return ""
    if worst == 0:
        return (
            f"<strong>Write to new people within their first days</strong>: "
            f"{words.percent(lost[0])} don't come back in the week after, more than are lost in "
            "any later week."
        )
    return (
        f"<strong>Write to people in week {worst}</strong>: between it and the next, the share who "
        f"come back falls by {words.points(lost[worst])}, more than at any other time."
    )


def _write_to_the_dormant(report: "CohortsReport") -> str:
    weeks = report.lifecycle.filter("is_complete")
    if not weeks.height or not weeks["dormant"][-1]:
        return ""
    gone, back = weeks["dormant"][-1], weeks["resurrecting"][-1]
    who = words.count(gone, "person", "people")
    hope = f"{words.number(back)} came back after a pause in that week, so it isn't too late"
    if not back:
        hope = "nobody came back after a pause by themselves"
    return f"<strong>Remind the {who} who stayed away in the last whole week</strong>: {hope}."


def _channels(report: "CohortsReport") -> list[str]:
    clear = [each for each in curves.groups(report.by_channel.cohorts) if each[2].is_clear]
    said = []
    for name, size, change in clear:
        share, others = words.percent(change.value), words.percent(change.before)
        people = words.count(size, "person", "people")
        if change.high < 0:
            said.append(
                f"<strong>Check what {escape(name)} promises</strong>: of {people} who first came "
                f"by it, {share} came back in week 1, of all others {others}."
            )
        else:
            said.append(
                f"<strong>Try more of {escape(name)}</strong>, as a test: of {people} who first "
                f"came by it, {share} came back in week 1, of all others {others}."
            )
    return said[:2]
