"""A lake and a state in memory, as far as scores read them."""

import re
from datetime import datetime
from pathlib import Path
from uuid import UUID

from scoring_reference import Event

from mi_core import migrations, scoring
from mi_core.definitions import Definitions
from mi_core.ingest.classify import write_milestones
from mi_core.settings import Settings
from mi_core.warehouse import Warehouse

EPOCH = datetime(2000, 1, 1)


def memory_warehouse(path: Path, definitions: Definitions) -> Warehouse:
    """The lake's tables, the state's that scores read, and all staged tables, each without rows."""
    warehouse = Warehouse(path, Settings(threads=1))
    warehouse.sql("attach ':memory:' as state")
    warehouse.sql(
        "create table state.user_persona (user_id varchar, slug varchar, confidence double,"
        " source varchar, assigned_at timestamp, superseded_at timestamp)"
    )
    warehouse.sql(
        "create table state.user_identity"
        " (user_id varchar, company_size integer, enriched_at timestamp)"
    )
    warehouse.sql("attach ':memory:' as lake")
    warehouse.sql("use lake")
    for step in migrations.LAKE.steps:
        # DuckDB's own tables know neither partitions nor an order.
        warehouse.sql(re.sub(r"alter table \w+ set [^;]*;", "", step.sql))
    warehouse.sql("use memory")
    warehouse.load_definitions(definitions)
    for scope in ("event", "milestone"):
        warehouse.sql(f"create temp table scope_{scope} as from lake.user_{scope}")
    scoring.stage_features(warehouse, definitions, EPOCH)
    warehouse.stage("company", "scores/company", as_of=EPOCH)
    scoring.stage_scores(warehouse, definitions, EPOCH)
    return warehouse


def put_events(warehouse: Warehouse, people: dict[UUID, list[Event]], *, into: str) -> None:
    """Append events to a table of user_event's columns, typed by the taxonomy."""
    rows = [
        {
            "user_id": str(user_id),
            "event_name": event.name,
            "occurred_at": str(event.occurred_at.replace(tzinfo=None)),
            "channel": event.channel,
            "duration": event.duration,
        }
        for user_id, events in people.items()
        for event in events
    ]
    warehouse.load_rows("put_event", rows)
    warehouse.sql(
        f"insert into {into} by name"
        " select uuid() as event_id, bucket_of(user_id::uuid) as user_bucket,"
        " put_event.* replace (user_id::uuid as user_id,"
        " occurred_at::timestamp as occurred_at), taxonomy.etype"
        " from put_event left join taxonomy using (event_name)"
    )


def publish_events(warehouse: Warehouse, people: dict[UUID, list[Event]]) -> None:
    """Add events to the lake as ingest does: with milestones, and a note of who was touched."""
    warehouse.sql("create or replace temp table scope_event as from lake.user_event limit 0")
    put_events(warehouse, people, into="scope_event")
    with warehouse.publish("events"):
        warehouse.sql("insert into lake.user_event by name from scope_event")
        write_milestones(warehouse)
        _touch(warehouse, list(people))


def publish_merge(warehouse: Warehouse, gone: UUID, into: UUID) -> None:
    """Make the events of one person those of another, as ingest does."""
    both = {"gone": str(gone), "kept": str(into)}
    with warehouse.publish("merge"):
        warehouse.sql(
            "update lake.user_event set user_id = $kept::uuid,"
            " user_bucket = bucket_of($kept::uuid) where user_id = $gone::uuid",
            both,
        )
        warehouse.sql(
            "create or replace temp table scope_event as from lake.user_event"
            " where user_id = $kept::uuid",
            {"kept": str(into)},
        )
        warehouse.sql(
            "delete from lake.user_milestone where user_id in ($kept::uuid, $gone::uuid)", both
        )
        write_milestones(warehouse)
        aliases = (
            "insert into lake.identity_alias"
            " select unnest([$gone::uuid, $kept::uuid]), $kept::uuid, null"
        )
        warehouse.sql(aliases, both)
        _touch(warehouse, [gone, into])


def _touch(warehouse: Warehouse, people: list[UUID]) -> None:
    for user_id in people:
        warehouse.sql("insert into lake.touched_user values ('batch', $id::uuid)", {"id": user_id})
