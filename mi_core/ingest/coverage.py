"""Coverage: whether all that PostHog has is here, and what the webhook missed."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from mi_core.errors import BadValue
from mi_core.instants import in_utc
from mi_core.warehouse import Warehouse

if TYPE_CHECKING:
    import polars as pl

SOURCES = ("webhook", "capture", "export", "query")
"""As `analytics_events.source` has them; `query` is what `mi ingest posthog` pulled."""
_HOUR = timedelta(hours=1)


def coverage(warehouse: Warehouse, *, days: int, as_of: datetime) -> "pl.DataFrame":
    """One row per whole UTC hour of the `days` days before `as_of`, the oldest first.

    `events` are known in all; columns named as SOURCES say how many each delivered, `only_…` how
    many nobody else did. `reference` is what exports and pulls brought, `received` how many of it
    came by webhook or capture as well, `missed` the others, and `share` is received / reference,
    0-1. Where no export or pull has the hour, `is_verified` is false and `share` null; where the
    reference has no event of it, `share` is null, too.

    Raises
    ------
    BadValue
        `days` isn't 1 to 3,660, or `as_of` has no zone.
    """
    if not isinstance(days, int) or not 1 <= days <= 3660:
        raise BadValue(f"days is {days!r}; it is a whole number from 1 to 3,660.")
    until = in_utc("as_of", as_of).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    warehouse.stage("reference_span", "reports/reference_span")
    since = until - timedelta(days=days)
    return warehouse.relation("reports/delivery_hour", since=since, until=until)


def unverified(hours: "pl.DataFrame") -> list[tuple[datetime, datetime]]:
    """The stretches of a coverage that are not verified, as (since, until) in UTC."""
    starts = hours.filter(~hours["is_verified"])["hour"].to_list()
    if not starts:
        return []
    breaks = [(one + _HOUR, other) for one, other in pairwise(starts) if other - one > _HOUR]
    since = [starts[0], *(other for _, other in breaks)]
    until = [*(one for one, _ in breaks), starts[-1] + _HOUR]
    return list(zip(since, until, strict=True))
