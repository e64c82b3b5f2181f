"""Cases counted by cell, so that rules with other thresholds cost sums over cells, not cases.

A cell holds the cases that no candidate of any threshold tells apart; there are thousands of them
where there are hundreds of thousands of cases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from mi_core.definitions import Persona
from mi_core.tuning.rules import (
    Personas,
    Threshold,
    first_holding,
    has_top_signal,
    in_order,
    thresholds,
)

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

Candidates = Mapping[Threshold, FloatArray]
"""The values that each threshold may have, ascending."""

Choice = dict[Threshold, int]
"""Which of its candidates each threshold has."""


def candidates(frame: pl.DataFrame, personas: Personas, number: int) -> dict[Threshold, FloatArray]:
    """About `number` quantiles of what each threshold looks at, 0, and the value in force."""
    found = {}
    for threshold in thresholds(personas):
        values = frame[threshold.column].drop_nulls().to_numpy().astype(np.float64)
        values = values[values > 0]
        shares = np.linspace(0, 1, number + 2)[1:-1]
        cuts = np.quantile(values, shares, method="nearest") if len(values) else values
        found[threshold] = np.unique([*cuts, 0.0, threshold.value(personas)])
    return found


@dataclass(frozen=True, eq=False)
class Grid:
    """Cases in cells.

    Attributes
    ----------
    cell, kind
        [cases] the cell of each, and its kind, of `kinds`.
    sample
        One case of each cell: [cells] rows.
    """

    personas: Sequence[Persona]
    options: Candidates
    cell: IntArray
    kind: IntArray
    kinds: int
    sample: pl.DataFrame

    @classmethod
    def of(
        cls,
        rows: pl.DataFrame,
        kind: IntArray,
        kinds: int,
        personas: Personas,
        options: Candidates,
    ) -> "Grid":
        """The grid of `rows`."""
        key = np.zeros(rows.height, dtype=np.int64)
        for codes in _codes(rows, personas, options):
            key = key * (int(codes.max(initial=0)) + 1) + codes
            # Numbered anew each time: with many columns the product would not fit.
            key = np.unique(key, return_inverse=True)[1]
        _, first, cell = np.unique(key, return_index=True, return_inverse=True)
        return cls(in_order(personas), options, cell, kind, kinds, rows[first])

    def counts(self, weights: FloatArray | None = None) -> FloatArray:
        """How many cases each cell has of each kind, [cells, kinds]; each as often as it weighs."""
        place, size = self.cell * self.kinds + self.kind, self.sample.height * self.kinds
        found = np.bincount(place, weights=weights, minlength=size)
        return found.astype(np.float64).reshape(-1, self.kinds)

    def table(self, counts: FloatArray, choice: Choice) -> FloatArray:
        """How many cases each persona has of each kind, [personas, kinds]."""
        return self._tabled(counts, first_holding(self._held(choice)))

    def sweep(self, counts: FloatArray, choice: Choice, threshold: Threshold) -> FloatArray:
        """The tables with each candidate of one threshold, [candidates, personas, kinds]."""
        place = self._place[threshold.persona]
        held = self._held(choice)
        held[place] = False
        otherwise = first_holding(held)
        # Cells that the threshold decides about: no rule before it takes them.
        is_open = self._rest(choice, threshold) & ~held[:place].any(axis=0)
        gone = self._gone(counts, otherwise, is_open, threshold)
        tables = self._tabled(counts, otherwise) - gone
        tables[:, place] += gone.sum(axis=1)
        return tables

    def _gone(
        self, counts: FloatArray, otherwise: IntArray, is_open: BoolArray, threshold: Threshold
    ) -> FloatArray:
        """What the personas that would else have them lose to the threshold's, by candidate."""
        rows, number = len(self.personas) + 1, len(self.options[threshold])
        at = self._met[threshold][is_open] * rows + otherwise[is_open] % rows
        # By how many candidates are met: those who meet more than so many of them, added up.
        by_met = _sums(at, counts[is_open], (number + 1) * rows).reshape(number + 1, rows, -1)
        lost = by_met[::-1].cumsum(axis=0)[:-1]
        return (lost[::-1] if threshold.is_above else lost)[:, :-1]

    def _tabled(self, counts: FloatArray, assigned: IntArray) -> FloatArray:
        rows = len(self.personas) + 1  # -1, of whom no rule takes, is the last one
        return _sums(assigned % rows, counts, rows)[:-1]

    def _held(self, choice: Choice) -> BoolArray:
        held = self._fixed.copy()
        for threshold, at in choice.items():
            held[self._place[threshold.persona]] &= self._meets(threshold, at)
        return held

    def _rest(self, choice: Choice, threshold: Threshold) -> BoolArray:
        """Where the rule of a threshold holds but for that threshold."""
        rest: BoolArray = self._fixed[self._place[threshold.persona]].copy()
        for other, at in choice.items():
            if other.persona == threshold.persona and other != threshold:
                rest &= self._meets(other, at)
        return rest

    def _meets(self, threshold: Threshold, at: int) -> BoolArray:
        """Which cells meet a threshold with one of its candidates."""
        fewest = at if threshold.is_above else len(self.options[threshold]) - 1 - at
        met: BoolArray = self._met[threshold] > fewest
        return met

    @cached_property
    def _place(self) -> dict[str, int]:
        return {each.slug: place for place, each in enumerate(self.personas)}

    @cached_property
    def _met(self) -> dict[Threshold, IntArray]:
        """[cells] how many candidates of each threshold are met: always the easiest ones."""
        found = {}
        for each, cuts in self.options.items():
            values = self.sample[each.column].fill_null(0).to_numpy()
            below = np.searchsorted(cuts, values, "left" if each.is_above else "right")
            found[each] = below if each.is_above else len(cuts) - below
        return found

    @cached_property
    def _fixed(self) -> BoolArray:
        """[personas, cells] what doesn't move: the signals that rules ask for."""
        everywhere = np.ones(self.sample.height, dtype=np.bool_)
        asked = (each.rule.top_signal for each in self.personas)
        return np.stack([has_top_signal(self.sample, s) if s else everywhere for s in asked])


def _sums(at: IntArray, counts: FloatArray, size: int) -> FloatArray:
    """Counts added up by place, [size, kinds]."""
    return np.column_stack(
        [np.bincount(at, weights=kind, minlength=size) for kind in counts.T]
    ).astype(np.float64)


def _codes(rows: pl.DataFrame, personas: Personas, options: Candidates) -> list[IntArray]:
    """Numbers that tell cases apart as far as rules do, [cases] for each column."""
    cuts: dict[str, set[float]] = {}
    for threshold, values in options.items():
        cuts.setdefault(threshold.column, set()).update(values.tolist())
    codes = []
    for column, found in cuts.items():
        values, edges = rows[column].fill_null(0).to_numpy(), np.array(sorted(found))
        # Below, at, or above an edge are three different things.
        at = np.searchsorted(edges, values, "left") + np.searchsorted(edges, values, "right")
        codes.append(at.astype(np.int64))
    signals = sorted({each.rule.top_signal for each in personas.values() if each.rule.top_signal})
    return codes + [has_top_signal(rows, signal).astype(np.int64) for signal in signals]
