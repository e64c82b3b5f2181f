"""How rules do by an objective, where a search chose them and where it didn't look."""

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from mi_core.tuning.counting import grouped
from mi_core.tuning.objectives import Agreement, Objective, reach
from mi_core.tuning.resampling import Figure, drawn_figure, person_groups
from mi_core.tuning.rules import Personas, in_order

FloatArray = npt.NDArray[np.float64]

_SCHEMA = {
    "rules": pl.String,
    "part": pl.String,
    **dict.fromkeys(("value", "low", "high", "reach"), pl.Float64),
}


def judged(
    parts: Mapping[str, pl.DataFrame],
    objective: Objective,
    in_force: Personas,
    proposed: Personas,
    *,
    draws: int,
    seed: int,
) -> tuple[pl.DataFrame, Figure]:
    """The figures of a Proposal, and the difference on the last of the parts."""
    rows, difference = [], Figure(np.nan, np.nan, np.nan)
    for part, frame in parts.items():
        for name, figure, reached in _of_part(frame, objective, in_force, proposed, draws, seed):
            rows.append((name, part, figure.value, figure.low, figure.high, reached))
            difference = figure
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row"), difference


def _of_part(
    frame: pl.DataFrame,
    objective: Objective,
    in_force: Personas,
    proposed: Personas,
    draws: int,
    seed: int,
) -> Iterator[tuple[str, Figure, float | None]]:
    """The rules in force, the proposal, and last the difference, with what each reaches."""
    ordered, group = in_order(in_force), person_groups(frame["user_id"], seed=seed)

    def value(tables: FloatArray) -> FloatArray:
        return objective.value(tables, ordered)

    def change(pairs: FloatArray) -> FloatArray:
        return value(pairs[:, 1]) - value(pairs[:, 0])

    sums = [
        grouped(frame, objective, each, group, int(group.max()) + 1)
        for each in (in_force, proposed)
    ]
    for name, each in zip(("rules in force", "proposal"), sums, strict=True):
        share = None if isinstance(objective, Agreement) else reach(each.sum(axis=0), ordered)
        reached = None if share is None else float(share)
        yield name, drawn_figure(each, value, draws, seed=seed), reached
    # Both of the same draws: their difference is of the same people.
    yield "difference", drawn_figure(np.stack(sums, axis=1), change, draws, seed=seed), None
