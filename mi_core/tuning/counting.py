"""Cases counted by persona and kind: all that an objective reads."""

import numpy as np
import numpy.typing as npt
import polars as pl

from mi_core.tuning.objectives import Objective
from mi_core.tuning.rules import Personas, assign, in_order

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def tabled(rows: pl.DataFrame, objective: Objective, personas: Personas) -> FloatArray:
    """How many cases each persona has of each kind, [personas, kinds]."""
    nobody_apart = np.zeros(rows.height, dtype=np.int64)
    table: FloatArray = grouped(rows, objective, personas, nobody_apart, 1)[0]
    return table


def grouped(
    rows: pl.DataFrame, objective: Objective, personas: Personas, group: IntArray, groups: int
) -> FloatArray:
    """The same for each of some groups of people, [groups, personas, kinds]."""
    ordered = in_order(personas)
    kind, kinds = objective.kinds(rows, ordered)
    place = {each.slug: number for number, each in enumerate(ordered)}
    named = assign(rows, personas).replace_strict(
        place, default=len(ordered), return_dtype=pl.Int64
    )
    shape = (groups, len(ordered) + 1, kinds)
    at = np.ravel_multi_index((group, named.to_numpy(), kind), shape)
    counts = np.bincount(at, minlength=int(np.prod(shape)))
    found: FloatArray = counts.reshape(shape)[:, :-1].astype(np.float64)
    return found
