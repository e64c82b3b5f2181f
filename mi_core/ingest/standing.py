"""The privacy door held open for events that come singly.

It is the same door (`sql/staging/door.sql`), over a table of its own and planned once: to plan it
takes several times as long as to put a hundred events through it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mi_core.errors import RelationError
from mi_core.ingest.door import Door
from mi_core.relations import relation_sql
from mi_core.warehouse import Warehouse

_STORED = (
    "source",
    "event_id",
    "event_name",
    "distinct_id_hash",
    "old_distinct_id_hash",
    "person_hash",
    "linked_hash",
    "old_linked_hash",
    "occurred_at",
    "received_at",
    "session_id",
    "properties",
    "experiments",
)
_BODY = ", ".join(f"'{name}': {name}" for name in _STORED)
_RAW = (
    "with raw_json as (select row_no, json, arrived_at from posted),"
    f" raw_event as (\n{relation_sql('staging/raw_json')}\n)"
)
_POSTED = json.dumps([{"row_no": "bigint", "source": "varchar", "event": "varchar"}])
_MOST_SHAPES = 10_000
"""Kinds of events remembered; a sender who makes up names must not fill the memory."""


UNREADABLE = "event can't be read"


@dataclass(frozen=True)
class Passed:
    """An event behind the door: its place among those given, and its id and body, or a reason."""

    row_no: int
    reason: str | None
    event_id: str = ""
    body: str = ""


class StandingDoor:
    """The door of a workspace, open on one connection."""

    def __init__(self, warehouse: Warehouse, door: Door) -> None:
        self._warehouse = warehouse
        # No event yet: what `open` learns of the shapes of events is remembered in a table instead.
        warehouse.sql(
            "create or replace temp table posted"
            " (row_no bigint, source varchar, json json, arrived_at timestamptz)"
        )
        with warehouse.view("raw_event", f"{_RAW} from raw_event"):
            bound = door.open(warehouse)
        warehouse.sql("create or replace temp table posted_shape as from event_shape")
        shapes = (
            f"{_RAW}, event_shape as (\n{relation_sql('staging/event_shape')}\n)"
            " select s.* from event_shape as s anti join posted_shape as p"
            " on p.event is not distinct from s.event and p.names is not distinct from s.names"
        )
        met = (
            f"{_RAW} select 1 from raw_event as r anti join posted_shape as p"
            " on p.event is not distinct from r.event"
            " and p.names is not distinct from names_of(r.properties) limit 1"
        )
        opened = (
            f"{_RAW}, event_shape as (from posted_shape),"
            f" passed as (\n{relation_sql('staging/door')}\n)"
            f" select row_no, reason, event_id::varchar, to_json({{{_BODY}}})::varchar"
            " from passed join posted using (row_no) order by row_no"
        )
        warehouse.prepare("new_shape", met)
        warehouse.prepare("remember_shape", f"insert into posted_shape {shapes}", **door.shapes())
        warehouse.prepare("pass_door", opened, **bound)

    def open(
        self, events: Sequence[Mapping[str, Any]], sources: Sequence[str], received_at: datetime
    ) -> list[Passed]:
        """Put events through, as PostHog delivers them; each comes from one of `sources`.

        One that DuckDB can't read is refused, and keeps nobody out who stands beside it.
        """
        try:
            return self._open(events, sources, received_at)
        except RelationError:
            if len(events) == 1:
                return [Passed(0, UNREADABLE)]
        half = len(events) // 2
        first = self.open(events[:half], sources[:half], received_at)
        rest = self.open(events[half:], sources[half:], received_at)
        return [*first, *(replace(each, row_no=each.row_no + half) for each in rest)]

    def _open(
        self, events: Sequence[Mapping[str, Any]], sources: Sequence[str], received_at: datetime
    ) -> list[Passed]:
        rows = [
            {"row_no": number, "source": source, "event": json.dumps(event)}
            for number, (event, source) in enumerate(zip(events, sources, strict=True))
        ]
        run = self._warehouse.run
        self._warehouse.sql("delete from posted")
        # The inbox asks for them itself, when it is about to take something in.
        self._warehouse.sql("delete from erased_id")
        # One text, not a list of them: DuckDB takes 0.1 ms to look at each value of a list.
        self._warehouse.sql(
            "insert into posted"
            " select row_no, source, try_cast(event as json), $received_at::timestamptz from ("
            f"select unnest(from_json($rows, '{_POSTED}'), recursive := true))",
            {"rows": json.dumps(rows), "received_at": received_at.isoformat()},
        )
        if run("new_shape").fetchone():
            self._remember_shapes()
        return [Passed(*row) for row in run("pass_door").fetchall()]

    def _remember_shapes(self) -> None:
        known = self._warehouse.sql("select count(*) from posted_shape").fetchone()
        if known and known[0] > _MOST_SHAPES:
            self._warehouse.sql("delete from posted_shape")
        self._warehouse.run("remember_shape")
