"""A funnel over the lake: who counts, what is asked of the lake, and what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from mi_core.definitions import Definitions, FunnelStep
from mi_core.errors import BadValue, UnknownName
from mi_core.funnels.events import Events, in_order
from mi_core.funnels.fold import Reached, Window, reached_in_any_order, reached_in_order
from mi_core.funnels.plan import Plan, make_plan
from mi_core.funnels.tables import DAY_US, breakdowns, people_frame, step_frame, time_frame
from mi_core.scoring import period_before
from mi_core.warehouse import Warehouse

BY = ("persona", "channel", "campaign")
NONE = "(none)"

_TABLES = ("funnel_row", "funnel_person", "funnel_start")


@dataclass(frozen=True, slots=True, repr=False)
class Funnel:
    """How many people reached each step.

    Attributes
    ----------
    steps
        `[breakdown,] position, step, people, rate_of_previous, rate_of_first, median_days,
        p25_days, p75_days` (since the step before)`, median_days_from_first, open`: people who got
        no further than this, not to the end, and of whom an attempt's window is still open at
        `until`. In any order, step i stands for any i of the steps.
    times
        `[breakdown,] bucket_from_days, bucket_to_days, people`: how long it took from the first
        step to the last; a bucket holds its lower bound, the last one both.
    excluded
        People who were left out because of an exclusion.
    exclusions
        As `NAME:A-B`.
    since, until
        The period, in UTC, `until` exclusive.
    """

    steps: pl.DataFrame
    times: pl.DataFrame
    excluded: int
    order: str
    window_days: float
    exclusions: tuple[str, ...]
    by: str | None
    since: datetime
    until: datetime
    config_version: str
    lake_snapshot: int

    def __repr__(self) -> str:
        by = f" by {self.by}" if self.by else ""
        people = self.steps.filter(pl.col("position") == 1)["people"].sum()
        last = pl.col("position") == pl.col("position").max()
        done = self.steps.filter(last)["people"].sum()
        return (
            f"<Funnel{by}: {people:,} people at the first step, {done:,} at the last,"
            f" of {self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}. Frames: .steps, .times>"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: the tables as lists of rows."""
        facts = {field.name: getattr(self, field.name) for field in fields(self)}
        return facts | {"steps": self.steps.to_dicts(), "times": self.times.to_dicts()}


def funnel(
    warehouse: Warehouse,
    definitions: Definitions,
    steps: Sequence[str | FunnelStep] | None = None,
    *,
    order: str = "ordered",
    window_days: float = 14,
    exclude: Sequence[str] = (),
    by: str | None = None,
    as_of: datetime,
    days: int = 90,
    source: str = "lake.user_event",
) -> Funnel:
    """How many people took each of `steps` in the `days` days before `as_of`.

    A person counts up to the furthest step that any of their attempts reached. An attempt begins
    with each event of the first step and lasts for `window_days`, its end included. Of events at
    one moment the one with the lower step comes first; one event never takes two steps. Times are
    those at which the first attempt that got furthest first reached each step (of those that get
    there by the same event, the latest); in any order, those of the latest event of each step.

    Parameters
    ----------
    steps
        Event types, names of events, or `FunnelStep`s; default: those of funnel.toml. A step that
        comes twice must be taken twice.
    order
        `ordered`: each step after the one before, whatever lies in between. `strict`: each step is
        the person's very next event. `any`: the steps in whatever order, of which there are as many
        as lie in one window.
    exclude
        `NAME`, or `NAME:A-B` with numbers of steps, from 1: people are left out wholly who do it
        in an attempt that has reached step A and not yet step B, before they first complete the
        funnel. Without numbers it is between the first step and the last. Of one moment, what takes
        no step comes after the steps.
    by
        `persona` (in force at `as_of`), or `channel` or `campaign` of the last touchpoint in the 30
        days up to the moment at which the counted attempt began.
    as_of
        Exclusive; has a time zone.
    source
        What has the events: a table or view with `user_id, occurred_at, event_name, etype`.

    Raises
    ------
    UnknownName
        A step, order or breakdown that isn't there; it names the nearest.
    BadValue
        A value that can't be, such as fewer than two steps or a window without length.
    """
    if by not in (None, *BY):
        raise UnknownName("breakdown", by or "", BY)
    if not window_days > 0:
        raise BadValue(f"A window is longer than 0 days, not {window_days:g}.")
    since, until = period_before(as_of, days)
    events = f"select user_id, occurred_at, event_name, etype from {source}"
    with warehouse.reading() as snapshot, warehouse.view("funnel_event", events):
        plan = make_plan(warehouse, definitions, steps, order, exclude)
        # No attempt is longer than the period, so neither need its window be.
        window = Window(round(min(window_days, days) * DAY_US), _microseconds(until))
        reached = _reached(plan, _events(warehouse, plan, since, until, is_staged=bool(by)), window)
        breakdown = _breakdown(warehouse, reached, by, since, until)
        for table in _TABLES:
            warehouse.sql(f"drop table if exists {table}")
    people = people_frame(reached, breakdown)
    keys = breakdowns(people) if by else pl.DataFrame({"breakdown": [NONE]})
    extra = () if by else ("breakdown",)
    return Funnel(
        steps=step_frame(people, keys, _names(plan)).drop(extra),
        times=time_frame(people, keys, len(plan.steps)).drop(extra),
        excluded=int(reached.is_left_out.sum()),
        order=order,
        window_days=window_days,
        exclusions=tuple(map(str, plan.exclusions)),
        by=by,
        since=since,
        until=until,
        config_version=definitions.version,
        lake_snapshot=snapshot,
    )


def _events(
    warehouse: Warehouse, plan: Plan, since: datetime, until: datetime, *, is_staged: bool
) -> Events:
    """The events that the plan is about, in order; if `is_staged`, the relations' rows stay."""
    select = "funnels/any_event" if plan.order == "strict" else "funnels/step_event"
    asked: dict[str, object] = {"since": since, "until": until, **plan.masks()}
    asked |= {"other": plan.other} if plan.order == "strict" else {}
    entry = {"entry": plan.entry}
    if is_staged:
        warehouse.stage("funnel_row", select, **asked)
        warehouse.stage("funnel_person", "funnels/person", **entry)
        found = warehouse.arrays("funnels/row")
    else:
        tables = {"funnel_row": select, "funnel_person": "funnels/person"}
        found = warehouse.arrays("funnels/row", tables, **asked, **entry)
    mask = found["mask"].astype(np.min_scalar_type(plan.other), copy=False)
    return in_order(found["person"], found["moment"], mask)


def _reached(plan: Plan, events: Events, window: Window) -> Reached:
    between = [(each.after, each.before) for each in plan.exclusions]
    if plan.order == "any":
        return reached_in_any_order(events, len(plan.steps), between, window)
    is_strict = plan.order == "strict"
    return reached_in_order(events, len(plan.steps), between, window, is_strict=is_strict)


def _breakdown(
    warehouse: Warehouse, reached: Reached, by: str | None, since: datetime, until: datetime
) -> pl.Series:
    """What each person is counted by, in the order of their numbers."""
    people = len(reached.furthest)
    if by is None:
        return pl.repeat(NONE, people, eager=True)
    if by == "persona":
        warehouse.stage("known_persona", "scores/known_persona", as_of=until)
        found = warehouse.relation("funnels/by_persona")
    else:
        start = {"person": np.arange(people, dtype=np.int32), "moment": reached.moments[0]}
        warehouse.load_arrays("funnel_start", start)
        found = warehouse.relation("funnels/by_touch", by=by, since=since, until=until)
    numbers = pl.DataFrame({"person": pl.arange(people, dtype=pl.Int32, eager=True)})
    joined = numbers.join(found, on="person", how="left", maintain_order="left")
    return joined["breakdown"].fill_null(NONE)


def _names(plan: Plan) -> list[str]:
    if plan.order == "any":
        return [f"any {each} of {len(plan.steps)}" for each in range(1, len(plan.steps) + 1)]
    return [step.name for step in plan.steps]


def _microseconds(moment: datetime) -> int:
    """Since 1970, as the relations count; `moment` is in UTC, without a zone."""
    return (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)
