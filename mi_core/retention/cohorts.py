"""Retention by cohorts: how many of those who started in a period came back, period by period."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from mi_core.definitions import Definitions
from mi_core.errors import BadValue
from mi_core.retention.counts import Array, cohort_counts
from mi_core.retention.periods import EVERY, MAX_PERIODS, Calendar, check_name
from mi_core.retention.sets import events_before, read_sets
from mi_core.scoring import naive_utc
from mi_core.warehouse import Warehouse

KINDS = ("first_time", "recurring")
COUNTINGS = ("on", "on_or_after")
BREAKDOWNS = ("persona", "channel")
NONE = "(none)"


@dataclass(frozen=True, repr=False)
class Retention:
    """How many people of each cohort came back.

    Attributes
    ----------
    cohorts
        `[breakdown,] cohort, size, period, people, rate, is_complete`: a row for each period that
        has begun of each cohort. `cohort` is its first day; period 0 is the cohort itself; `rate`
        is the share of `size`, null in an empty cohort; a row is not complete where its period was
        still going on at `as_of`.
    mean
        `[breakdown,] period, weighted_rate, simple_rate, cohorts`, over the complete rows of those
        cohorts that have anybody, so many of them: the rate of all their people together, and the
        mean of their rates; null where there is none.
    start, returning
        The events; None is any.
    """

    cohorts: pl.DataFrame
    mean: pl.DataFrame
    start: str | None
    returning: str | None
    every: str
    kind: str
    counting: str
    by: str | None
    as_of: datetime
    config_version: str
    lake_snapshot: int

    def __repr__(self) -> str:
        by = f" by {self.by}" if self.by else ""
        people = self.cohorts.filter(pl.col("period") == 0)["size"].sum()
        return (
            f"<Retention{by}: {people:,} people in cohorts of a {self.every},"
            f" as of {self.as_of:%Y-%m-%d}. Frames: .cohorts, .mean>"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: the tables as lists of rows."""
        facts = {field.name: getattr(self, field.name) for field in fields(self)}
        return facts | {"cohorts": self.cohorts.to_dicts(), "mean": self.mean.to_dicts()}


def retention(
    warehouse: Warehouse,
    definitions: Definitions,
    start: str | None,
    returning: str | None,
    *,
    every: str = "week",
    periods: int = 12,
    kind: str = "first_time",
    counting: str = "on",
    by: str | None = None,
    as_of: datetime,
) -> Retention:
    """How many people of each cohort came back, period by period.

    Parameters
    ----------
    start, returning
        What makes a person one of a cohort, and what counts as coming back: a type or a name of
        events, `conversion`, `engagement`, `touch`, or None for any event. With `returning` None it
        is the same as `start`.
    every
        `day`, `week` (from Monday) or `month`, in UTC.
    periods
        The newest cohort is that of the period in which `as_of` lies; the oldest, so many before.
    kind
        `first_time`: the cohort of a person is the period of their first start event ever;
        `recurring`: everybody with a start event in a period is of its cohort.
    counting
        `on`: who returned in the period; `on_or_after`: in it or later, up to `as_of`.
    by
        None; `persona`: the one in force at `as_of`, else that of the newest score; `channel`: of
        the first touchpoint ever, where the cohort's first start event is no earlier than that.
    as_of
        Exclusive; has a time zone.

    Raises
    ------
    UnknownName
        An event or an option that isn't there.
    BadValue
        `periods` is not in 1-126.
    """
    check_name("period", every, EVERY)
    check_name("kind of retention", kind, KINDS)
    check_name("way of counting", counting, COUNTINGS)
    if by is not None:
        check_name("breakdown", by, BREAKDOWNS)
    if not 1 <= periods <= MAX_PERIODS:
        raise BadValue(f"Retention is over 1 to {MAX_PERIODS} periods, not {periods}.")
    until = naive_utc(as_of)
    calendar = Calendar.up_to(until, every, periods + 1)
    is_pair = returning not in (None, start)
    with (
        events_before(warehouse, definitions, until, start, returning),
        warehouse.reading() as snapshot,
    ):
        cohorts = triangle(
            warehouse, calendar, until, kind=kind, counting=counting, by=by, is_pair=is_pair
        )
    return Retention(
        cohorts=cohorts,
        mean=_means(cohorts),
        start=start,
        returning=returning if is_pair else start,
        every=every,
        kind=kind,
        counting=counting,
        by=by,
        as_of=as_of,
        config_version=definitions.version,
        lake_snapshot=snapshot,
    )


def triangle(
    warehouse: Warehouse,
    calendar: Calendar,
    until: datetime,
    *,
    kind: str = "first_time",
    counting: str = "on",
    by: str | None = None,
    is_pair: bool = False,
) -> pl.DataFrame:
    """The cohorts of Retention, from the events in the view `retention_event`."""
    with_past = kind == "first_time"
    sets = read_sets(warehouse, calendar, until, with_past=with_past, is_pair=is_pair, by=by)

    def cells(rows: pl.DataFrame) -> pl.DataFrame:
        counts = cohort_counts(rows, calendar.periods, kind=kind, counting=counting)
        return _cells(calendar, until, *counts)

    if by is None:
        return cells(sets)
    parts = sets.partition_by("breakdown", as_dict=True) or {(NONE,): sets}
    tables = [
        cells(rows).insert_column(0, pl.lit(breakdown).alias("breakdown"))
        for (breakdown,), rows in sorted(parts.items())
    ]
    # A breakdown may be only that of people whose first event was before the first cohort.
    return pl.concat(tables).filter(pl.col("size").sum().over("breakdown") > 0)


def _cells(calendar: Calendar, until: datetime, sizes: Array, people: Array) -> pl.DataFrame:
    """One row per cohort and period, of the arrays that `cohort_counts` gives."""
    cohort, later = np.triu_indices(calendar.periods)
    days = [start.date() for start in calendar.starts]
    is_over = np.array([end <= until for end in calendar.starts[1:]])
    returned = np.where(cohort == later, sizes[cohort], people[cohort, later])
    size = pl.col("size")
    return pl.DataFrame(
        {
            "cohort": [days[number] for number in cohort],
            "size": sizes[cohort],
            "period": later - cohort,
            "people": returned,
            "is_complete": is_over[later],
        }
    ).select(
        "cohort",
        "size",
        "period",
        "people",
        pl.when(size > 0).then(pl.col("people") / size).alias("rate"),
        "is_complete",
    )


def _means(cohorts: pl.DataFrame) -> pl.DataFrame:
    """The means of Retention, from its cohorts."""
    counts = pl.col("is_complete") & (pl.col("size") > 0)
    people, size = (pl.col(name).filter(counts).sum() for name in ("people", "size"))
    keys = [name for name in ("breakdown", "period") if name in cohorts.columns]
    return (
        cohorts.group_by(keys)
        .agg(
            pl.when(size > 0).then(people / size).alias("weighted_rate"),
            pl.col("rate").filter(counts).mean().alias("simple_rate"),
            counts.sum().cast(pl.Int64).alias("cohorts"),
        )
        .sort(keys)
    )
