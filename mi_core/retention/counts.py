"""Sets of periods as arrays, and what is counted in them: no events, no people.

A set is a row of bits, 0 or 1, with a column for each period, and how many people have it. Sums
over people are products of such arrays: floats, which are exact up to 2^53.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

Array = np.ndarray[Any, np.dtype[Any]]

_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True)
class Sets:
    """Sets of periods, one row each.

    Attributes
    ----------
    started, returned
        Bits: the periods with a start event and with a return event.
    first
        Bits: of `started`, the period of the first event ever, unless that was before all of them.
    people
        How many have it.
    """

    started: Array
    returned: Array
    first: Array
    people: Array


def each_part(frame: pl.DataFrame, periods: int) -> Iterator[Sets]:
    """The rows of the relation `retention/mask` or `mask_pair`, so many at once as memory bears."""
    for rows in frame.iter_slices(_ROWS_AT_ONCE):
        started, held = _bits(rows, "started", periods), _bits(rows, "held", periods)
        is_new = ~rows["is_known"].to_numpy()[:, None]
        is_first = np.cumsum(started, axis=1, dtype=np.uint8) == 1
        yield Sets(
            started & held,
            _bits(rows, "returned", periods),
            started & held & is_first & is_new,
            rows["people"].to_numpy().astype(float),
        )


def cohort_counts(
    frame: pl.DataFrame, periods: int, *, kind: str, counting: str
) -> tuple[Array, Array]:
    """The sizes of cohorts, and how many of cohort i (row) returned in period j (column)."""
    sizes, people = np.zeros(periods), np.zeros((periods, periods))
    for sets in each_part(frame, periods):
        members = (sets.first if kind == "first_time" else sets.started).astype(float)
        returned = sets.returned
        if counting == "on_or_after":
            returned = np.maximum.accumulate(returned[:, ::-1], axis=1)[:, ::-1]
        sizes += sets.people @ members
        people += members.T @ (returned * sets.people[:, None])
    return sizes.astype(int), people.astype(int)


def lifecycle_counts(frame: pl.DataFrame, periods: int) -> dict[str, Array]:
    """New, returning, resurrecting and dormant people of each period but the first."""
    names = ("new", "returning", "resurrecting", "dormant")
    counts = {name: np.zeros(periods - 1) for name in names}
    for sets in each_part(frame, periods):
        before, now = sets.started[:, :-1], sets.started[:, 1:]
        new = sets.first[:, 1:]
        kinds = (new, now & before, now & ~before & ~new, before & ~now)
        for name, bits in zip(names, kinds, strict=True):
            counts[name] += sets.people @ (bits & 1)
    return {name: count.astype(int) for name, count in counts.items()}


def active_counts(frame: pl.DataFrame, periods: int) -> Array:
    """How many people were active in exactly 1, 2, … periods."""
    counts = np.zeros(periods + 1)
    for sets in each_part(frame, periods):
        counts += np.bincount(sets.started.sum(axis=1), sets.people, minlength=periods + 1)
    return counts[1:].astype(int)


def _bits(rows: pl.DataFrame, name: str, periods: int) -> Array:
    """Numbers of 128 bits, in halves, as bits; the last column is 1 in the number."""
    halves = rows.select(f"{name}_high", f"{name}_low").to_numpy().astype(">u8", order="C")
    return np.unpackbits(halves.view(np.uint8), axis=1)[:, 128 - periods :]
