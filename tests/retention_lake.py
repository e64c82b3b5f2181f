"""A lake in memory for retention, and rows of events to put into it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from scoring_lake import memory_warehouse

from mi_core.definitions import Definitions, load_definitions
from mi_core.warehouse import Warehouse

DEFINITIONS: Definitions = load_definitions()

STAGED = {
    "retention_event": "user_id uuid, occurred_at timestamp, is_start boolean, is_return boolean",
    "retention_side": "user_id uuid, breakdown varchar, held hugeint",
    "known_persona": "user_id uuid, slug varchar",
}
"""What the relations read besides the lake, and its columns."""


class MemoryWarehouse(Warehouse):
    """A lake of DuckDB's own tables has no snapshots."""

    def snapshot(self) -> int:
        return 0


def retention_warehouse(path: Path) -> MemoryWarehouse:
    made = memory_warehouse(path, DEFINITIONS)
    warehouse = MemoryWarehouse(path, made.settings)
    warehouse.connection.close()
    warehouse.connection = made.connection
    return warehouse


def put_events(warehouse: Warehouse, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace the lake's events; a row has `who`, `at`, and what else user_event has."""
    types = {name: each.etype for name, each in DEFINITIONS.events.items()}
    events = [
        {
            "event_id": str(UUID(int=number)),
            "user_id": str(UUID(int=row["who"])),
            "event_name": row.get("event", "app_open"),
            "etype": row.get("etype", types.get(row.get("event", "app_open"))),
            "channel": row.get("channel"),
            "occurred_at": str(row["at"]),
        }
        for number, row in enumerate(rows)
    ]
    warehouse.sql("delete from lake.user_event")
    if events:
        warehouse.load_rows("put_event", events, dict.fromkeys(events[0], "varchar"))
        warehouse.sql(
            "insert into lake.user_event by name"
            " select * replace (event_id::uuid as event_id, user_id::uuid as user_id,"
            " occurred_at::timestamp as occurred_at), bucket_of(user_id::uuid) as user_bucket"
            " from put_event"
        )
