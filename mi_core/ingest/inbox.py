"""The inbox: small deliveries, durable before they are acknowledged, moved to the lake in batches.

An event is past the privacy door before the inbox holds it, under its own id, so that a second
delivery of it is a duplicate. The drain moves what is new and stores how far it got in the same
lake transaction: a crash between the two stores repeats nothing and loses nothing.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from mi_core.ingest.classify import keep_classified
from mi_core.ingest.door import Door
from mi_core.ingest.publish import publish
from mi_core.relations import relation_sql
from mi_core.state import Posted, State
from mi_core.warehouse import Warehouse

REPEATS_WITHIN = timedelta(days=7)
"""How far in time a repeat of an event may lie from it and still be found in the lake."""
_BATCH = 100_000
_STORED = (
    "event_id, event_name, distinct_id_hash, old_distinct_id_hash, person_hash, linked_hash,"
    " old_linked_hash, occurred_at, received_at, session_id, properties, experiments"
)


def post_events(
    warehouse: Warehouse,
    state: State,
    door: Door,
    events: Iterable[Mapping[str, Any]],
    *,
    source: str,
    received_at: datetime,
) -> tuple[Posted, dict[int, str]]:
    """Put events, as PostHog delivers them, through the door and into the inbox.

    Returns what became of those that passed, on disk by now, and the reason for each that didn't,
    by its position in `events`, withheld ones among them.
    """
    warehouse.sql(
        "create or replace temp table posted as"
        " select unnest(range(len($documents))) as row_no,"
        " try_cast(unnest($documents) as json) as json, $received_at::timestamptz as arrived_at",
        {
            "documents": [json.dumps(event) for event in events],
            "received_at": received_at.isoformat(),
        },
    )
    with (
        warehouse.view("raw_json", "from posted"),
        warehouse.view("raw_event", relation_sql("staging/raw_json")),
    ):
        warehouse.stage("passed", "staging/door", **door.open(warehouse))
    refused = dict(
        warehouse.sql("select row_no, reason from passed where reason is not null").fetchall()
    )
    bodies = warehouse.sql(
        f"select event_id::varchar, to_json(r) from (select $source as source, {_STORED}"
        " from passed where reason is null order by row_no) as r",
        {"source": source},
    ).fetchall()
    return state.post(bodies, received_at), refused


def drain(warehouse: Warehouse, door: Door) -> int:
    """Move what is new in the inbox to the lake; returns how many events the lake gained."""
    accepted, is_full = 0, True
    # What is posted meanwhile is left for the next drain: this one would never end.
    while is_full:
        gained, is_full = _drain_batch(warehouse, door)
        accepted += gained
    return accepted


def _drain_batch(warehouse: Warehouse, door: Door) -> tuple[int, bool]:
    """How many events the lake gained, and whether the batch was a full one."""
    with warehouse.lock():
        # Under the same lock: between the two, a process with other definitions might type again.
        keep_classified(warehouse, door.definitions)
        row = warehouse.sql(
            "select coalesce(max(last_seq), 0) from lake.ingest_watermark"
        ).fetchone()
        after = row[0] if row else 0
        staged = warehouse.stage("drained", "staging/inbox", after=after, most=_BATCH)
        if not staged:
            return 0, False
        row = warehouse.sql("select max(row_no) from drained").fetchone()
        newest = row[0] if row else after
        batch_id = f"drain-{newest}"
        with warehouse.view("staged", "from drained"), warehouse.publish(batch_id):
            published = publish(
                warehouse, door.definitions, batch_id, repeats_within=REPEATS_WITHIN
            )
            warehouse.sql("delete from lake.ingest_watermark")
            warehouse.sql("insert into lake.ingest_watermark values ($seq)", {"seq": newest})
    return published.accepted, staged == _BATCH
