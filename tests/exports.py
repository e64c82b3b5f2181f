"""PostHog events and batch-export files, as small as a test needs them."""

import gzip
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import brotli
import polars as pl

from mi_core.ingest.door import Door
from mi_core.ingest.publish import publish
from mi_core.relations import relation_sql
from mi_core.warehouse import Warehouse
from mi_core.workspace import Workspace

Event = dict[str, Any]

PARQUET = {
    ".parquet": "snappy",
    ".parquet.zst": "zstd",
    ".parquet.lz4": "lz4",
    ".parquet.sz": "snappy",
    ".parquet.gz": "gzip",
    ".parquet.br": "brotli",
}
"""Ending of a Parquet file → the compression inside it."""

JSON_LINES = (".jsonl", ".jsonl.gz", ".jsonl.br")


def event(
    name: str = "feature_used",
    who: str = "ann",
    at: str = "05-01 10:00",
    properties: Mapping[str, Any] | None = None,
    *,
    key: str = "",
    person: str | None = None,
    session: str | None = None,
) -> Event:
    """An event as PostHog exports it, `at` a time of 2024; `key` tells apart what is the same."""
    moment = datetime.fromisoformat(f"2024-{at}").replace(tzinfo=UTC).isoformat()
    held = dict(properties or {}) | ({"$session_id": session} if session else {})
    return {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {who} {at} {key}")),
        "event": name,
        "distinct_id": who,
        "person_id": person,
        "properties": held,
        "person_properties": {"email": "held.back@mail.example"},
        "elements_chain": "",
        "timestamp": moment,
        "created_at": moment,
        "_inserted_at": moment,
    }


def identify(who: str, anonymous: str, at: str, **more: Any) -> Event:
    """The event with which an anonymous id becomes `who`."""
    return event("$identify", who, at, {"$anon_distinct_id": anonymous}, key=anonymous, **more)


def alias(who: str, other: str, at: str, kind: str = "$create_alias") -> Event:
    """The event that makes `other` another id of `who`."""
    return event(kind, who, at, {"alias": other}, key=other)


def write_export(path: Path, events: Iterable[Event]) -> Path:
    """Write events to an export file; the name says the format and the compression."""
    rows = list(events)
    ending = path.name[path.name.index(".") :] if "." in path.name else ""
    if ending in PARQUET:
        parquet_frame(rows).write_parquet(path, compression=PARQUET[ending])
    else:
        write_lines(path, [json.dumps(row) for row in rows])
    return path


def write_lines(path: Path, lines: Sequence[str]) -> Path:
    """Write lines, JSON or not, compressed as the name says."""
    content = "".join(f"{line}\n" for line in lines).encode()
    pack = {".gz": gzip.compress, ".br": brotli.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(content))
    return path


def parquet_frame(events: Sequence[Event]) -> pl.DataFrame:
    """The columns and types of PostHog's Parquet files: JSON as text, times in UTC."""
    rows = [
        {name: json.dumps(v) if isinstance(v, dict) else v for name, v in row.items()}
        for row in events
    ]
    times = ("timestamp", "created_at", "_inserted_at")
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col("person_id").cast(pl.String),
        *(pl.col(name).str.to_datetime(time_unit="us", time_zone="UTC") for name in times),
    )


def through_door(warehouse: Warehouse, door: Door, events: Sequence[Event]) -> None:
    """Put events through the privacy door, into the temporary table `passed`."""
    warehouse.sql(
        "create or replace temp table raw_json as select unnest(range(len($lines))) as row_no,"
        " unnest($lines)::json as json, null::timestamptz as arrived_at",
        {"lines": [json.dumps(row) for row in events]},
    )
    with warehouse.view("raw_event", relation_sql("staging/raw_json")):
        warehouse.stage("passed", "staging/door", **door.open(warehouse))


def deliver(warehouse: Warehouse, door: Door, *batches: Sequence[Event]) -> None:
    """Take events into a lake in memory, each batch as one delivery."""
    through_door(warehouse, door, [row for batch in batches for row in batch])
    end = 0
    for batch in batches:
        start, end = end, end + len(batch)
        rows = f"from passed where row_no >= {start} and row_no < {end}"
        with warehouse.view("staged", f"select 0 as file_no, 'export' as source, * {rows}"):
            publish(warehouse, door.definitions, "delivery")


Content = dict[str, list[tuple[Any, ...]]]

_CONTENT = {
    "analytics_events": "*",
    "user_event": "*",
    "identity_alias": "*",
    "identity_edge": "*",
    "user_milestone": "*",
    "classification": "*",
}


def lake_content(workspace: Workspace | Warehouse, *, without: str = "") -> Content:
    """What the lake says, row by row in a fixed order; leave columns out with `without`."""
    warehouse = workspace if isinstance(workspace, Warehouse) else workspace.warehouse
    return {
        table: warehouse.sql(
            f"select columns(c -> not list_contains(string_split('{without}', ' '), c))"
            f" from lake.{table} order by all"
        ).fetchall()
        for table in _CONTENT
    }
