"""Funnels and retention beside chDB, polars and pandas by hand, from the same events.

A funnel of five steps, in order, within a week of the first; weekly retention of each week's
newcomers. chDB (ClickHouse) has functions made for both, and is the bar. Each is measured twice:
with the events in the order of time, as they come, and by person and time, as a lake keeps them.

`python benchmarks/funnels.py [--small] [--rounds N] [--data FOLDER]`; what isn't installed is left
out: peers/requirements.txt says how to install it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from peers import with_chdb, with_pandas, with_polars
from peers.comparison import Contender, arguments, compare
from peers.data import DAYS, STEPS

OURS = "mi_core"
BARE = "bare scan"
ORDERS = {"events": "in the order of time", "events_by_user": "by person and time"}
UNTIL = datetime(2025, 4, 7, tzinfo=UTC)
WEEKS = DAYS // 7


def opened(events: str, data: Path) -> Any:
    """An empty workspace, and the events in a view with the columns of the lake's."""
    from mi_core import open_workspace

    workspace = open_workspace(data / "workspace")
    workspace.warehouse.sql(
        "create temp view event as"
        " select user_id, ts as occurred_at, event as event_name, null::varchar as etype"
        f" from '{data / events}.parquet'"
    )
    return workspace


def bare_scan(workspace: Any) -> None:
    """Events by their name."""
    query = "select event_name, count(*) from event group by event_name"
    workspace.warehouse.sql(query).fetchall()


def by_person(workspace: Any) -> None:
    """When each person's first event was: what retention can't do without."""
    workspace.warehouse.sql(
        "select count(*), max(first_at) from ("
        "select user_id, min(occurred_at) as first_at from event group by user_id)"
    ).fetchall()


def funnel(workspace: Any) -> dict[str, dict[str, float]]:
    """How many people took each step in order, within a week of the first; and when they did."""
    from mi_core.definitions import FunnelStep
    from mi_core.funnels import funnel as ours

    steps = [FunnelStep(name=step, events=(step,)) for step in STEPS]
    found = ours(
        workspace.warehouse,
        workspace.definitions,
        steps,
        window_days=7,
        as_of=UNTIL,
        days=DAYS,
        source="event",
    )
    return {"people": dict(zip(STEPS, found.steps["people"], strict=True))}


def retention(workspace: Any) -> dict[str, dict[Any, float]]:
    """How many people of each week's newcomers had events how many weeks later."""
    from mi_core.retention.cohorts import triangle
    from mi_core.retention.periods import Calendar

    until = UNTIL.replace(tzinfo=None)
    calendar = Calendar.up_to(until, "week", WEEKS)
    view = "select user_id, occurred_at, true as is_start, true as is_return from event"
    with workspace.warehouse.view("retention_event", view):
        cohorts = triangle(workspace.warehouse, calendar, until)
    weeks = (cohorts["cohort"] - cohorts["cohort"].min()).dt.total_days() // 7
    rows = zip(weeks, cohorts["period"], cohorts["people"], strict=True)
    return {"people": {(cohort, period): n for cohort, period, n in rows}}


def file(events: str, data: Path) -> Path:
    return data / f"{events}.parquet"


Work = Callable[[Any], Any]


def of(events: str, ours: Work, chdb: Work, polars: Work, pandas: Work) -> Sequence[Contender]:
    """Who competes, over the events in some order."""
    scan, table = partial(opened, events), partial(file, events)
    chdb_files = partial(with_chdb.files, events=events)
    own_table = Contender("chDB, its own table", chdb, with_chdb.merge_tree, ("chdb",))
    return (
        Contender(BARE, bare_scan, scan),
        Contender("group by person", by_person, scan),
        Contender(OURS, ours, scan),
        Contender("chDB by hand", chdb, chdb_files, ("chdb",)),
        *((own_table,) if events == "events_by_user" else ()),
        Contender("polars by hand", polars, table),
        Contender("pandas by hand", pandas, table, ("pandas", "pyarrow")),
    )


if __name__ == "__main__":
    data, rounds = arguments(__doc__)
    work = {
        "Funnel": (funnel, with_chdb.funnel, with_polars.funnel, with_pandas.funnel),
        "Retention": (retention, with_chdb.retention, with_polars.retention, with_pandas.retention),
    }
    for name, each in work.items():
        for events, order in ORDERS.items():
            title = f"{name}, events {order}"
            compare(title, data, rounds, of(events, *each), ours=OURS, bare=BARE)
