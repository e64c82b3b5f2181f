"""Events in order: by person, then by time, and of one moment the lowest step first.

A person's number, a time and a mask take 13 to 16 bytes for an event, and about 60 more while the
events are put in order.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer[Any]]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


_LONG_RUN = 1_000
"""Rows of a run in order, on the mean, from which on merging runs is quicker than counting."""


@dataclass(frozen=True, slots=True)
class Events:
    """Events in order, one entry each.

    `person` counts up from 0, `moment` is in microseconds, `mask` has a bit for each step and each
    exclusion.
    """

    person: Ints
    moment: Longs
    mask: Ints

    def that(self, kind: int) -> Longs:
        """Rows of the step or exclusion `kind`, from 0."""
        return np.flatnonzero((self.mask & self.mask.dtype.type(1 << kind)) != 0)

    @property
    def people(self) -> int:
        return int(self.person[-1]) + 1 if len(self.person) else 0

    def last_rows(self) -> Longs:
        """The last row of each person."""
        return np.searchsorted(self.person, np.arange(self.people), side="right") - 1


def in_order(person: Ints, moment: Longs, mask: Ints) -> Events:
    """Events in order, from those of people numbered from 0 without gaps.

    Times that already rise for each person, as where the lake's files are sorted, cost no sorting.
    """
    order = _by_person(person)
    rows = np.bincount(person)
    person = np.repeat(np.arange(len(rows), dtype=np.int32), rows)
    moment, mask = moment[order], mask[order]
    if len(person):
        _sort_times(person, moment, mask)
        _sort_ties(person, moment, mask)
    return Events(person, moment, mask)


def _by_person(person: Ints) -> Longs:
    """A stable order by person.

    NumPy's stable sort takes the runs that are there and merges them, which is soon done if they
    are long; 16-bit integers it counts, in the same time whatever their order.
    """
    if np.count_nonzero(person[1:] < person[:-1]) < len(person) / _LONG_RUN:
        return np.argsort(person, kind="stable")
    order = np.argsort(person.astype(np.uint16), kind="stable")
    high = (person >> 16).astype(np.uint16)
    return order[np.argsort(high[order], kind="stable")] if high.any() else order


def _sort_times(person: Ints, moment: Longs, mask: Ints) -> None:
    """Put each person's rows in the order of time, in place.

    Person and time are one number, of so many people at once as go into 63 bits.
    """
    earliest = moment.min()
    bits = int(moment.max() - earliest).bit_length()
    firsts = np.arange(0, int(person[-1]) + 1, 1 << max(0, 62 - bits))
    bounds = [*np.searchsorted(person, firsts), len(person)]
    for low, high in pairwise(bounds):
        part = slice(low, high)
        key = (person[part] - person[low]).astype(np.int64) << bits
        key += moment[part] - earliest
        order = np.argsort(key, kind="stable")
        moment[part], mask[part] = moment[part][order], mask[part][order]


def _sort_ties(person: Ints, moment: Longs, mask: Ints) -> None:
    """Of one moment, put the event with the lowest step first, then that with the lower mask.

    Events of one mask serve as well as each other, so that no more is needed for one result.
    """
    is_tied = (person[1:] == person[:-1]) & (moment[1:] == moment[:-1])
    rows = np.flatnonzero(np.append(is_tied, False) | np.append(False, is_tied))
    tied = mask[rows]
    lowest = tied & (~tied + 1)
    mask[rows] = tied[np.lexsort((tied, lowest, moment[rows], person[rows]))]
