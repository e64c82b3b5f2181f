"""Paths: which touchpoints led to which conversion, staged as relations.

`journey` has a row per path and group of people; `path_touch` the touchpoints that the transforms
leave, and `path_step` these, numbered; `path_key` the keys, numbered. What follows reads only
these, wherever the paths came from: the lake, or a path table.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from mi_core.definitions import AttributionRules
from mi_core.errors import BadValue
from mi_core.warehouse import Warehouse

BY = ("channel", "campaign", "creative", "email", "post", "event", "etype", "persona")
"""What the steps of a path can be counted by."""

GROUPS = 1000
"""People are put into so many groups at most; of fewer people, each is a group."""

MOST_KEYS = 2**15 - 1

_DIRECT = {"remove": "without_direct", "remove_last": "without_last_direct"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which paths: the conversions of [since, until), naive UTC, counted `by` a column.

    `conversion` is an event type or name, None for every conversion. Null paths are left out where
    only one person's conversions are shared out.
    """

    since: datetime
    until: datetime
    by: str = "channel"
    conversion: str | None = None
    with_nulls: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """Selects of the touchpoints, the conversions and when people left their address first."""

    touchpoint: str
    conversion: str
    lead: str


LAKE = Source("from touchpoint", "from conversion", "from lake.user_milestone")
"""Those of everybody."""


def stage_paths(
    warehouse: Warehouse,
    scope: Scope,
    rules: AttributionRules,
    *,
    source: Source = LAKE,
    more_keys: Sequence[str] = (),
) -> None:
    """Stage the paths of the people in `source`; `more_keys` as in `stage_steps`."""
    lookback = timedelta(days=rules.lookback_days)
    with _scoped(warehouse, scope.since - lookback, scope.until, source):
        warehouse.stage(
            "journey",
            "journeys/journey",
            since=scope.since,
            until=scope.until,
            conversion=scope.conversion,
            with_nulls=scope.with_nulls,
            lookback_us=round(lookback / timedelta(microseconds=1)),
            groups=groups_of(rules),
        )
        if scope.by == "persona":
            warehouse.stage("known_persona", "scores/known_persona", as_of=scope.until)
        else:
            warehouse.stage("known_persona", "journeys/no_persona")
        warehouse.stage(
            "path_touch", "journeys/path_touch", by=scope.by, direct_channel=rules.direct_channel
        )
    stage_steps(warehouse, rules, more_keys)


def groups_of(rules: AttributionRules) -> int:
    """How many groups of people are told apart: one, where none are drawn."""
    return GROUPS if rules.draws else 1


def stage_steps(
    warehouse: Warehouse, rules: AttributionRules, more_keys: Sequence[str] = ()
) -> None:
    """Take `path_touch` through the transforms and number what they leave.

    Parameters
    ----------
    more_keys
        Keys that have a number though they may be on no path.

    Raises
    ------
    BadValue
        There are more keys than a state has room for.
    """
    for transform in _transforms(rules):
        warehouse.stage(
            "path_next", f"journeys/{transform}", **_parameters(transform, rules.max_touches)
        )
        warehouse.sql("drop table path_touch")
        warehouse.sql("alter table path_next rename to path_touch")
    keys = warehouse.stage("path_key", "journeys/path_key", more_keys=list(more_keys))
    if keys > MOST_KEYS:
        raise BadValue(f"Paths have {keys:,} different steps; there may be {MOST_KEYS:,}.")
    warehouse.stage("path_step", "journeys/path_step", order=rules.markov_order)


def _transforms(rules: AttributionRules) -> Iterator[str]:
    """The relations to apply, in their order: that of Snowplow's attribution packages."""
    if rules.max_touches:
        yield "last_touches"
    if rules.direct != "keep":
        yield _DIRECT[rules.direct]
    if rules.transform != "unique":
        yield rules.transform


def _parameters(transform: str, max_touches: int) -> dict[str, int]:
    return {"max_touches": max_touches} if transform == "last_touches" else {}


@contextmanager
def _scoped(
    warehouse: Warehouse, since: datetime, until: datetime, source: Source
) -> Iterator[None]:
    """Views of the touchpoints and conversions to look at, and of addresses left."""
    period = f"where occurred_at >= '{since}'::timestamp and occurred_at < '{until}'::timestamp"
    with (
        warehouse.view("scope_touchpoint", f"from ({source.touchpoint}) {period}"),
        warehouse.view("scope_conversion", f"from ({source.conversion}) {period}"),
        warehouse.view("scope_lead", source.lead),
    ):
        yield
