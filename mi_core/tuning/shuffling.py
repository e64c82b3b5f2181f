"""Placebos: the same outcomes on other cases, so that what is found in them is chance."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Shuffle = Callable[[pl.DataFrame, BoolArray, np.random.Generator], BoolArray]


def among_people(frame: pl.DataFrame, happened: BoolArray, rng: np.random.Generator) -> BoolArray:
    """Outcomes shuffled among the people of each instant: as many as before, of others."""
    return _within(frame["as_of"].rank("dense").to_numpy(), happened, rng)


def among_instants(frame: pl.DataFrame, happened: BoolArray, rng: np.random.Generator) -> BoolArray:
    """Each person's outcomes shuffled among their instants: theirs, at other times."""
    return _within(frame["user_id"].rank("dense").to_numpy(), happened, rng)


def _within(
    block: npt.NDArray[np.generic], values: BoolArray, rng: np.random.Generator
) -> BoolArray:
    """`values` shuffled inside each block of rows."""
    by_block = np.argsort(block, kind="stable")
    by_chance = np.lexsort((rng.random(len(values)), block))
    shuffled = np.empty_like(values)
    shuffled[by_block] = values[by_chance]
    return shuffled
