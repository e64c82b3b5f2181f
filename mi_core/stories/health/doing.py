"""What the figures of the data health report ask for."""

from html import escape
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.ingest.coverage import unverified
from mi_core.monitoring.check import RANK

if TYPE_CHECKING:
    from mi_core.stories.health.figures import HealthReport

NAMES_SHOWN = 3


def steps(report: "HealthReport") -> list[str]:
    """Sentences in markup, the most pressing first; each names the figure that it goes by."""
    bad = sorted((each for each in report.checks if each.is_bad), key=lambda c: -RANK[c.status])
    found = [
        f"<strong>{escape(each.title)}</strong>: {escape(each.what_to_do)} {escape(each.sentence)}"
        for each in bad
    ]
    known = {each.name for each in bad}
    more = [_fetch(report), "" if "unknown_events" in known else _name(report), _watch(report)]
    return [*found, *(each for each in more if each)]


def _fetch(report: "HealthReport") -> str:
    """The hours that no export or pull covers, in one command."""
    gaps = unverified(report.hours_of(is_now=True))
    if not gaps:
        return ""
    since, until = gaps[0][0], gaps[-1][1]
    hours = round(sum((end - one).total_seconds() for one, end in gaps) / 3600)
    return (
        f"<strong>Fetch {words.count(hours, 'hour')} that nobody vouches for</strong>: "
        f"<code>mi ingest posthog --since {since:%Y-%m-%dT%H:%M} --until {until:%Y-%m-%dT%H:%M}"
        "</code>."
    )


def _name(report: "HealthReport") -> str:
    """The most frequent unknown names: a few lines in the overlay."""
    names = report.unknown_events
    if not names.height:
        return ""
    few = names.head(NAMES_SHOWN)
    told = [
        f"{escape(name)} ({words.number(events)})"
        for name, events in few.select("event_name", "events").iter_rows()
    ]
    return (
        f"<strong>Say in overlay.toml what unknown events mean</strong>, the most frequent first: "
        f"{words.listed(told)}."
    )


def _watch(report: "HealthReport") -> str:
    if report.statuses.height:
        return ""
    return (
        "<strong>Let somebody watch</strong>: <code>mi watch --notify</code> every hour tells what "
        "turns bad, and when it is well again."
    )
