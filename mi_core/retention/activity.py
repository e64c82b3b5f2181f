"""Who is active: lifecycle, and how often."""

from datetime import datetime

import polars as pl

from mi_core.definitions import Definitions
from mi_core.retention.counts import active_counts, lifecycle_counts
from mi_core.retention.periods import Calendar, count_periods
from mi_core.retention.sets import events_before, read_sets
from mi_core.scoring import naive_utc
from mi_core.warehouse import Warehouse


def lifecycle(
    warehouse: Warehouse,
    definitions: Definitions,
    event: str | None,
    *,
    every: str = "week",
    as_of: datetime,
    days: int = 90,
) -> pl.DataFrame:
    """Who is active and who no longer is: one row per period, each of them as a whole.

    The columns are `period` (its first day), `new` (active for the first time ever), `returning`
    (active in the period before, too), `resurrecting` (active again, but not in the period before),
    `dormant` (active in the period before, not in this one) and `is_complete` (the period had ended
    by `as_of`). To PostHog those are new whose first event of any kind lies in the period; here it
    is the first `event`, so that everybody is new once.

    Parameters
    ----------
    event
        What makes a person active, as in `retention`; None is any event.
    every
        `day`, `week` (from Monday) or `month`, in UTC.
    as_of
        Exclusive; has a time zone.
    days
        The first period is the one in which `as_of` − `days` lies; at most 126 are looked at.
    """
    until = naive_utc(as_of)
    shown = count_periods(every, until, days)
    # One more, for those who were active before the first one shown.
    calendar = Calendar.up_to(until, every, shown + 1)
    with events_before(warehouse, definitions, until, event), warehouse.reading():
        sets = read_sets(warehouse, calendar, until, with_past=True)
    return pl.DataFrame(
        {
            "period": [start.date() for start in calendar.starts[1:-1]],
            **lifecycle_counts(sets, calendar.periods),
            "is_complete": [end <= until for end in calendar.starts[2:]],
        }
    )


def stickiness(
    warehouse: Warehouse,
    definitions: Definitions,
    event: str | None,
    *,
    every: str = "day",
    as_of: datetime,
    days: int = 30,
) -> pl.DataFrame:
    """How often people are active: one row per number of periods with an event.

    The columns are `active_periods` (from 1 to all that there are), `people` (active in exactly so
    many) and `share` (of all who were active; null where nobody was).

    Parameters
    ----------
    event, every, as_of, days
        As in `lifecycle`.
    """
    until = naive_utc(as_of)
    calendar = Calendar.up_to(until, every, count_periods(every, until, days))
    with events_before(warehouse, definitions, until, event), warehouse.reading():
        sets = read_sets(warehouse, calendar, until, with_past=False)
    people = active_counts(sets, calendar.periods)
    total = people.sum()
    return pl.DataFrame(
        {
            "active_periods": range(1, calendar.periods + 1),
            "people": people,
            "share": people / total if total else [None] * calendar.periods,
        },
        schema_overrides={"share": pl.Float64},
    )
