"""Writes an export block by block, and adds up what is true of it."""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from itertools import count
from math import ceil, sqrt
from operator import add
from pathlib import Path

import numpy as np
import polars as pl

from mi_core.errors import SettingsError, UnknownName
from mi_core.synthetic.acts import draw_block
from mi_core.synthetic.export import (
    EXTENSIONS,
    Format,
    Shipment,
    deliveries,
    keep_people,
    ship,
    suffix,
    windows,
    write_window,
)
from mi_core.synthetic.model import Plan
from mi_core.synthetic.rows import Block
from mi_core.synthetic.spend import write_spend
from mi_core.synthetic.texts import Texts, block_texts, person_texts
from mi_core.synthetic.truth import Tally, Truth, person_truth, tally

END = datetime(2024, 7, 1, tzinfo=UTC)
_BLOCK_EVENTS = 1_000_000  # about so many are in memory at once, twice
_FEWEST_DAYS = 14


def generate(
    folder: Path | str,
    *,
    events: int = 200_000,
    people: int | None = None,
    days: int = 90,
    end: datetime = END,
    seed: int = 0,
    format: Format = "parquet",
) -> Truth:
    """Writes a synthetic PostHog export into `folder`/events and its truth into `folder`/truth,
    and what its campaigns cost into `folder`/spend.csv.

    The same arguments give the same rows, on any number of threads.

    Parameters
    ----------
    folder : new, empty, or with an earlier export, which is replaced
    events : rows to deliver; met within the events of one person
    people : exactly so many people instead, whatever events they make
    days : length of the history, at least 14
    end : its end, exclusive, with a time zone
    format : "parquet" (zstd) or "jsonl" (gzip)

    Raises
    ------
    SettingsError : a size below 1, fewer days than 14, an end without a time zone, or a folder
        that holds something else
    UnknownName : another format
    """
    _check(events if people is None else people, days, end, format)
    plan = Plan(seed, end.astimezone(UTC), days)
    folder = Path(folder)
    _clear(folder)
    tallies: list[Tally] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part in _parts(pool, plan, events, people):
            _write(pool, folder, plan, part, format)
            tallies.append(part.tally)
    total = reduce(add, tallies)
    truth = total.truth(folder, plan)
    truth.save()
    write_spend(truth.spend_file, plan, total.daily_visits)
    return truth


def _check(size: int, days: int, end: datetime, format: str) -> None:
    if size < 1:
        raise SettingsError(f"There must be at least 1 event or person, not {size}.")
    if days < _FEWEST_DAYS:
        raise SettingsError(f"A history has at least {_FEWEST_DAYS} days, not {days}.")
    if end.tzinfo is None:
        raise SettingsError(f"The end {end} needs a time zone.")
    if format not in EXTENSIONS:
        raise UnknownName("format", format, EXTENSIONS)


def _clear(folder: Path) -> None:
    """Empties the folder if what it holds was generated: that has a truth."""
    if (folder / "truth").exists():
        shutil.rmtree(folder / "events", ignore_errors=True)
        shutil.rmtree(folder / "truth")
    elif folder.exists() and any(folder.iterdir()):
        raise SettingsError(f"The folder {folder} holds something else than a generated export.")
    for name in ("events", "truth"):
        (folder / name).mkdir(parents=True)


@dataclass(frozen=True, slots=True)
class Part:
    """A block ready to be written: its first `people` people, and no others."""

    block: Block
    texts: Texts
    shipment: Shipment
    persons: pl.DataFrame
    tally: Tally


def _parts(pool: Executor, plan: Plan, events: int, people: int | None) -> Iterator[Part]:
    """Blocks until there are enough people, or rows; the next is drawn while one is written."""
    size = _block_size(plan.days, events, people)
    left = float(people or events)
    coming = pool.submit(_draw, plan, 0, size)
    for number in count(1):
        block, shipment = coming.result()
        times = deliveries(plan, shipment)
        rows = np.bincount(shipment.rows.person, times, size)
        total = np.cumsum(rows if people is None else np.ones(size))
        kept = min(int(np.searchsorted(total, left)) + 1, size)
        left -= total[kept - 1]
        if left > 0:
            coming = pool.submit(_draw, plan, number, size)
        yield _part(plan, block, shipment, kept)
        if left <= 0:
            return


def _block_size(days: int, events: int, people: int | None) -> int:
    """People per block, so that the last of equal blocks is nearly used up.

    A person comes to about 15 + days / 2 rows; where that is short, one more block is drawn.
    """
    rows = 15 + days / 2
    likely = people or 1.02 * events / rows + 3 * sqrt(events / rows)
    return ceil(likely / ceil(likely * rows / _BLOCK_EVENTS))


def _draw(plan: Plan, number: int, size: int) -> tuple[Block, Shipment]:
    block = draw_block(plan, number, size)
    return block, ship(np.random.default_rng([plan.seed, number, 1]), plan, block)


def _part(plan: Plan, block: Block, shipment: Shipment, kept: int) -> Part:
    rng = np.random.default_rng([plan.seed, block.number, 2])
    people = person_texts(rng, plan, block)
    texts = block_texts(rng, plan, block, people)
    shipment = keep_people(shipment, kept)
    delivered = int(deliveries(plan, shipment).sum())
    persons = person_truth(plan, block, people).head(kept)
    told = tally(plan, block, kept, len(shipment.rows), delivered)
    return Part(block, texts, shipment, persons, told)


def _write(pool: Executor, folder: Path, plan: Plan, part: Part, format: Format) -> None:
    """Writes a part's files, windows side by side."""
    part.persons.write_parquet(folder / "truth" / f"people{suffix(part.block)}.parquet")

    def write(window: tuple[datetime, datetime]) -> None:
        write_window(folder / "events", window, part.block, part.texts, part.shipment, format)

    list(pool.map(write, windows(plan)))
