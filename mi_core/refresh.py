"""The scheduled work on scores: one refresh of everything, and which of the past is still missing.

Whoever schedules, a flow or a caller of the HTTP API, asks the workspace for it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mi_core.definitions import Definitions
from mi_core.errors import BadValue
from mi_core.instants import in_utc
from mi_core.scoring import ScoreSummary, naive_utc
from mi_core.warehouse import Warehouse

VIEWS: Mapping[str, tuple[str, ...]] = {
    "mv_daily_funnel": ("reports/daily_funnel", "mv_daily_funnel"),
    "mv_persona_performance": ("reports/persona_performance", "mv_persona_performance"),
    "mv_user_magnetism_7d": ("mv_user_magnetism_7d",),
    "mv_user_magnetism_30d": ("mv_user_magnetism_30d",),
}
"""Stored view → what its own rows are computed and written by, as `Warehouse.timed` calls it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the work, and how long it took."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class View:
    """A stored view as it is now; `seconds` is what its own rows took to compute and write."""

    name: str
    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did; `reason` says why it was a full one, and is empty otherwise."""

    as_of: datetime
    mode: str
    reason: str
    events_drained: int
    users_scored: int
    users_recomputed: int
    personas_changed: int
    steps: Sequence[Step]
    views: Sequence[View]
    seconds: float


def refresh(
    warehouse: Warehouse, drain: Callable[[], int], score: Callable[[], ScoreSummary]
) -> Refreshed:
    """Drain the inbox and score everybody, and say what that did and how long it took.

    As of an instant before the newest scoring, the views stay as that one left them.
    """
    started = time.perf_counter()
    drained = drain()
    begun = time.perf_counter()
    with warehouse.timed() as seconds:
        summary = score()
    ended = time.perf_counter()
    return Refreshed(
        as_of=summary.as_of,
        mode=summary.mode,
        reason=summary.reason,
        events_drained=drained,
        users_scored=summary.users_scored,
        users_recomputed=summary.users_recomputed,
        personas_changed=summary.personas_changed,
        steps=(
            Step("drain", _rounded(begun - started)),
            Step("score", _rounded(ended - begun)),
        ),
        views=tuple(_view(warehouse, name, seconds) for name in VIEWS),
        seconds=_rounded(time.perf_counter() - started),
    )


def unscored(
    warehouse: Warehouse,
    definitions: Definitions,
    since: datetime,
    until: datetime,
    every: timedelta,
) -> list[datetime]:
    """The instants `every` so often from `since` to `until` (both count), oldest first, that have
    no scoring by the definitions in force.

    By which a scoring is, its last run says. Where `every` is a day or more, the last scoring of a
    UTC day stands for an instant before it: when it is old, `thin_snapshots` keeps no other.

    Raises
    ------
    BadValue
        An instant has no time zone, or `every` is no time at all.
    """
    if every <= timedelta(0):
        raise BadValue("Between two instants there is some time; every must be above 0.")
    first, last = in_utc("since", since), in_utc("until", until)
    rows = warehouse.sql(
        "select as_of, arg_max(config_version, (as_of, lake_snapshot)) = $version"
        " from lake.score_run where as_of >= $first and as_of < $last::date + 1"
        " group by as_of order by as_of",
        {"version": definitions.version, "first": naive_utc(first), "last": naive_utc(last)},
    ).fetchall()
    scored = {as_of.replace(tzinfo=UTC) for as_of, is_in_force in rows if is_in_force}
    last_of_day = {as_of.date(): as_of.replace(tzinfo=UTC) for as_of, _ in rows}

    def is_scored(instant: datetime) -> bool:
        later = last_of_day.get(instant.date(), instant) if every >= timedelta(days=1) else instant
        return instant in scored or (later > instant and later in scored)

    count = max(0, (last - first) // every + 1)
    return [each for n in range(count) if not is_scored(each := first + n * every)]


def _view(warehouse: Warehouse, name: str, seconds: Mapping[str, float]) -> View:
    row = warehouse.sql(f"select count(*) from lake.{name}").fetchone()
    took = sum(seconds.get(each, 0.0) for each in VIEWS[name])
    return View(name, row[0] if row else 0, _rounded(took))


def _rounded(seconds: float) -> float:
    """To the millisecond."""
    return round(seconds, 3)
