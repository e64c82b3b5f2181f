"""The files of a PostHog batch export, Parquet or JSON Lines.

A file holds what arrived in its window, as PostHog cuts them, and reaches OVERLAP back before it,
so that some rows are delivered twice. People are drawn in blocks, and each block writes its own
part of every window (`-1`, `-2` … in the file name), which bounds the memory.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from mi_core.synthetic.journeys import DAY
from mi_core.synthetic.model import LATE_SHARE, Plan
from mi_core.synthetic.rows import Block, Rows
from mi_core.synthetic.texts import (
    Longs,
    Texts,
    Words,
    draw_words,
    microseconds,
    render,
    uuid_text,
)

Format = Literal["parquet", "jsonl"]
EXTENSIONS: dict[str, str] = {"parquet": "parquet.zst", "jsonl": "jsonl.gz"}
OVERLAP = timedelta(hours=3)
WINDOW = timedelta(days=7)
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Shipment:
    """A block's rows in the order of their arrival; times in microseconds since 1970."""

    rows: Rows
    timestamp: Longs
    created: Longs
    inserted: Longs
    uuids: tuple[Words, Words]


def ship(rng: np.random.Generator, plan: Plan, block: Block) -> Shipment:
    """Adds the way to PostHog: 5 s, or hours where a device was offline."""
    rows = block.rows
    timestamp = microseconds(plan, rows.at)
    created = timestamp + 2 * _SECOND
    late = np.flatnonzero(rng.random(len(rows)) < LATE_SHARE)
    delay = rng.exponential(DAY / 3, len(late))
    delay[rows.at[late] + delay > plan.seconds - 10] = 0.0
    created[late] += (delay * _SECOND).astype(np.int64)
    uuids = draw_words(rng, timestamp)
    order = np.argsort(created, kind="stable")
    return Shipment(
        rows.take(order),
        timestamp[order],
        created[order],
        created[order] + 3 * _SECOND,
        (uuids[0][order], uuids[1][order]),
    )


def windows(plan: Plan) -> list[tuple[datetime, datetime]]:
    """The spans of arrival, UTC, of which each makes a file."""
    starts = [plan.start + WINDOW * n for n in range(ceil(timedelta(days=plan.days) / WINDOW))]
    return [(start, min(start + WINDOW, plan.end)) for start in starts]


def _slice(shipment: Shipment, since: datetime, until: datetime) -> slice:
    edges = [int(edge.timestamp() * _SECOND) for edge in (since, until)]
    return slice(*np.searchsorted(shipment.inserted, edges).tolist())


def deliveries(plan: Plan, shipment: Shipment) -> Longs:
    """How often each row is delivered: twice where it arrived right before a later window."""
    times = np.ones(len(shipment.rows), np.int64)
    for start, _ in windows(plan)[1:]:
        times[_slice(shipment, start - OVERLAP, start)] = 2
    return times


def keep_people(shipment: Shipment, number: int) -> Shipment:
    """The rows of the block's first `number` people."""
    kept = shipment.rows.person < number
    return Shipment(
        shipment.rows.take(kept),
        shipment.timestamp[kept],
        shipment.created[kept],
        shipment.inserted[kept],
        (shipment.uuids[0][kept], shipment.uuids[1][kept]),
    )


def suffix(block: Block) -> str:
    """What tells apart the blocks' parts of one window."""
    return f"-{block.number}" if block.number else ""


def write_window(
    folder: Path,
    window: tuple[datetime, datetime],
    block: Block,
    texts: Texts,
    shipment: Shipment,
    format: Format,
) -> None:
    """Writes the block's part of one window."""
    start, end = window
    name = f"{start.isoformat()}-{end.isoformat()}{suffix(block)}.{EXTENSIONS[format]}"
    part = _slice(shipment, start - OVERLAP, end)
    _WRITERS[format](_frame(block, texts, shipment, part), folder / name)


def _frame(block: Block, texts: Texts, shipment: Shipment, part: slice) -> pl.DataFrame:
    times = {
        "timestamp": shipment.timestamp,
        "created_at": shipment.created,
        "_inserted_at": shipment.inserted,
    }
    moment = pl.Datetime("us", "UTC")
    return pl.DataFrame(
        {
            "uuid": uuid_text(*(half[part] for half in shipment.uuids)),
            **render(block, texts, shipment.rows.take(part)),
            **{name: pl.Series(at[part]).cast(moment) for name, at in times.items()},
        }
    )


def _write_parquet(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path, compression="zstd", compression_level=1)


def _write_jsonl(frame: pl.DataFrame, path: Path) -> None:
    """One object per line, the properties as nested objects."""
    nested = {"properties", "person_properties"}
    pieces: list[pl.Expr] = []
    for name, kind in frame.schema.items():
        value = pl.col(name)
        if kind == pl.String and name not in nested:
            value = pl.format('"{}"', value.str.replace_all('"', '\\"', literal=True))
        elif kind != pl.String:
            value = value.dt.strftime('"%Y-%m-%dT%H:%M:%S%.6f+00:00"')
        pieces += [pl.lit(f',"{name}":' if pieces else f'{{"{name}":'), value]
    lines = frame.select(pl.concat_str(*pieces, pl.lit("}\n"))).to_series()
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as file:
        file.write("".join(lines).encode())


_WRITERS: dict[Format, Callable[[pl.DataFrame, Path], None]] = {
    "parquet": _write_parquet,
    "jsonl": _write_jsonl,
}
