"""The privacy door held open for events that come singly.

It is the same door (`sql/staging/door.sql`), over a table of its own and planned once: to plan it
takes several times as long as to put a hundred events through it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mi_core.errors import UnreadableData
from mi_core.ingest.door import Door
from mi_core.relations import relation_sql
from mi_core.warehouse import Warehouse

_STORED = (
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
_TEXTS = ", ".join(f"{name}::varchar" for name in _STORED)
_POSTED = json.dumps([{"row_no": "bigint", "event": "varchar", "arrived": "varchar"}])
# All in one text: DuckDB takes 0.1 ms to look at each value of a list, and plans a statement that
# has more than one parameter anew each time.
_RAW = f"""
with posted as materialized (
    select row_no, try_cast(event as json) as json, arrived::timestamptz as arrived_at
    from (select unnest(from_json($posted::varchar, '{_POSTED}'), recursive := true))
),
raw_json as (select row_no, json, arrived_at from posted),
raw_event as (
{relation_sql("staging/raw_json")}
)"""
_MOST_SHAPES = 10_000
"""Kinds of events remembered; a sender who makes up names must not fill the memory."""
_MOST_TRIES = 100
UNREADABLE = "event can't be read"


@dataclass
class Tries:
    """How often the door may still be tried for one group of events."""

    left: int


@dataclass(frozen=True)
class Passed:
    """An event behind the door: its place among those given, and its id and body, or a reason."""

    row_no: int
    reason: str | None
    event_id: str = ""
    body: str = ""


class StandingDoor:
    """The door of a workspace, open on `warehouse`, which nobody else may use.

    A plan holds as long as no table of the connection is made or dropped.
    """

    def __init__(self, warehouse: Warehouse, door: Door) -> None:
        self._warehouse = warehouse
        no_event = _RAW.replace("$posted", "'[]'")
        # No event yet: what `open` learns of the shapes of events is remembered in a table instead.
        with warehouse.view("raw_event", f"{no_event} from raw_event"):
            bound = door.open(warehouse)
        # The inbox asks who was erased when it takes something in; here it would be as of now.
        warehouse.sql("delete from erased_id")
        warehouse.sql("create or replace temp table posted_shape as from event_shape")
        is_new = (
            "anti join posted_shape as p on p.event is not distinct from e.event"
            " and p.names is not distinct from "
        )
        opened = (
            f"{_RAW}, event_shape as (from posted_shape),"
            f" passed as (\n{relation_sql('staging/door')}\n)"
            f" select exists (from raw_event as e {is_new} names_of(e.properties)),"
            f" row_no, reason, {_TEXTS} from passed order by row_no"
        )
        shapes = (
            f"insert into posted_shape {_RAW},"
            f" event_shape as (\n{relation_sql('staging/event_shape')}\n)"
            f" select e.* from event_shape as e {is_new} e.names"
        )
        warehouse.prepare("pass_door", opened, **bound)
        warehouse.prepare("remember_shape", shapes, **door.shapes())

    def open(
        self, events: Sequence[Mapping[str, Any]], sources: Sequence[str], received_at: datetime
    ) -> list[Passed]:
        """Put events through, as PostHog delivers them; each comes from one of `sources`.

        One that DuckDB can't read is refused, and keeps nobody out who stands beside it.

        Raises
        ------
        RelationError
            The machine is to blame, or there are too many such events to look for each.
        """
        return self._halved(events, sources, received_at, Tries(_MOST_TRIES))

    def _halved(
        self,
        events: Sequence[Mapping[str, Any]],
        sources: Sequence[str],
        received_at: datetime,
        tries: "Tries",
    ) -> list[Passed]:
        tries.left -= 1
        try:
            return self._open(events, sources, received_at)
        except UnreadableData:
            if tries.left < 0:
                raise
            if len(events) == 1:
                return [Passed(0, UNREADABLE)]
        half = len(events) // 2
        first = self._halved(events[:half], sources[:half], received_at, tries)
        rest = self._halved(events[half:], sources[half:], received_at, tries)
        return [*first, *(replace(each, row_no=each.row_no + half) for each in rest)]

    def _open(
        self, events: Sequence[Mapping[str, Any]], sources: Sequence[str], received_at: datetime
    ) -> list[Passed]:
        arrived = received_at.isoformat()
        rows = [
            {"row_no": number, "event": json.dumps(event), "arrived": arrived}
            for number, event in enumerate(events)
        ]
        posted = json.dumps(rows)
        found = self._warehouse.run("pass_door", posted=posted).fetchall()
        if any(has_new_shape for has_new_shape, *_ in found):
            self._remember_shapes(posted)
            found = self._warehouse.run("pass_door", posted=posted).fetchall()
        return [_passed(sources, *row) for _, *row in found]

    def _remember_shapes(self, posted: str) -> None:
        known = self._warehouse.sql("select count(*) from posted_shape").fetchone()
        if known[0] > _MOST_SHAPES:
            self._warehouse.sql("delete from posted_shape")
        self._warehouse.run("remember_shape", posted=posted)


def _passed(sources: Sequence[str], row_no: int, reason: str | None, *texts: str | None) -> Passed:
    if reason is not None:
        return Passed(row_no, reason)
    body = {"source": sources[row_no], **dict(zip(_STORED, texts, strict=True))}
    return Passed(row_no, None, str(body["event_id"]), json.dumps(body))
