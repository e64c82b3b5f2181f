"""Coordinate ascent: one threshold after the other is given its best candidate, until none moves.

From the values in force and from seeded random ones; the best end counts. The same seed gives the
same thresholds.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from mi_core.tuning.grid import Choice, Grid
from mi_core.tuning.rules import Personas

FloatArray = npt.NDArray[np.float64]
Rank = Callable[[FloatArray], FloatArray]
"""What to climb, of tables `[…, personas, kinds]`."""

_SPECK = 1e-9
"""What is better by less is equal: sums in another order."""


def chosen(grid: Grid, personas: Personas) -> Choice:
    """The values that the personas' rules state, as places among the candidates."""
    return {
        threshold: int(np.searchsorted(cuts, threshold.value(personas)))
        for threshold, cuts in grid.options.items()
    }


def random_starts(grid: Grid, number: int, *, seed: int) -> Iterator[Choice]:
    """So many choices by chance."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        yield {each: int(rng.integers(len(cuts))) for each, cuts in grid.options.items()}


def best_of(
    grid: Grid, counts: FloatArray, in_force: Choice, others: Iterable[Choice], rank: Rank
) -> Choice:
    """The best end of a climb from each start, as near to what is in force as it can be."""
    best = climb(grid, counts, in_force, rank)
    height = _height(grid, counts, best, rank)
    for start in others:
        end = climb(grid, counts, start, rank)
        if (reached := _height(grid, counts, end, rank)) > height + _SPECK:
            best, height = end, reached
    return nearest(grid, counts, best, in_force, rank)


def climb(grid: Grid, counts: FloatArray, start: Choice, rank: Rank) -> Choice:
    """Where coordinate ascent ends from `start`."""
    choice, height, has_moved = dict(start), _height(grid, counts, start, rank), True
    while has_moved:
        has_moved = False
        for threshold in choice:
            heights = rank(grid.sweep(counts, choice, threshold))
            best = int(np.argmax(heights))
            if heights[best] > height + _SPECK:
                choice[threshold], height, has_moved = best, float(heights[best]), True
    return choice


def nearest(grid: Grid, counts: FloatArray, choice: Choice, in_force: Choice, rank: Rank) -> Choice:
    """The same height with each threshold as near as possible to the one in force.

    What makes no difference is not to be proposed.
    """
    found, height = dict(choice), _height(grid, counts, choice, rank)
    for threshold, cuts in grid.options.items():
        as_high = rank(grid.sweep(counts, found, threshold)) >= height - _SPECK
        away = np.abs(cuts - cuts[in_force[threshold]])
        found[threshold] = int(np.argmin(np.where(as_high, away, np.inf)))
    return found


def _height(grid: Grid, counts: FloatArray, choice: Choice, rank: Rank) -> float:
    return float(rank(grid.table(counts, choice)[np.newaxis])[0])
