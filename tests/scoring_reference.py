"""What the scoring relations say, written again as plainly as possible, for one person at a time."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from mi_core.definitions import Definitions
from mi_core.intent import MICRO, Signal, time_on_site_micro

Act = tuple[str, datetime, int | None]
"""Event name, time, milliseconds of duration."""


def signals_of(events: Iterable[Act], definitions: Definitions) -> Iterator[Signal]:
    """The signals that events give: each its own, and one for its duration."""
    site = definitions.signals["time_on_site_per_min"]
    for name, occurred_at, duration in events:
        event = definitions.events.get(name)
        if event and event.signal:
            rule = definitions.signals[event.signal]
            yield Signal(event.signal, round(rule.points * MICRO), occurred_at, rule.group)
        if duration:
            cap = round((site.cap or 0) * MICRO)
            points = time_on_site_micro(duration, round(site.points * MICRO), cap)
            yield Signal("time_on_site_per_min", points, occurred_at, site.group)
