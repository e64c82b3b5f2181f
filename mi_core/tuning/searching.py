"""Searches the thresholds of personas' rules, and holds what it finds against the rules in force.

Only numbers move: which rules there are, their order and what they look at stay as people wrote
them. What was found in `train` is judged in `test`, on other people and later days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from mi_core.errors import BadValue
from mi_core.tuning.climbing import best_of, chosen, random_starts
from mi_core.tuning.grid import Candidates, Choice, Grid, candidates
from mi_core.tuning.judging import judged
from mi_core.tuning.objectives import Objective
from mi_core.tuning.proposal import Proposal
from mi_core.tuning.rules import Personas, Threshold, in_order, with_values
from mi_core.tuning.splitting import Split

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Effort:
    """How much a search does.

    Parameters
    ----------
    values
        About so many quantiles are tried for each threshold.
    starts
        Climbs from thresholds drawn by chance, beside the one from those in force.
    draws
        Of people, for intervals.
    searches
        In bootstrap samples of the people, for stability.
    """

    values: int = 24
    starts: int = 8
    draws: int = 2000
    searches: int = 40


DEFAULT = Effort()


def search(
    split: Split,
    objective: Objective,
    *,
    personas: Personas | None = None,
    seed: int = 0,
    effort: Effort = DEFAULT,
) -> Proposal:
    """Thresholds that do best on `split.train` by `objective`, judged on `split.test`.

    The same arguments give the same proposal.

    Parameters
    ----------
    objective
        What a person wants: `Lift`, `Value` or `Agreement`. Of cases of churn, the first two count
        who stays active.
    personas
        The rules to start from; default: those in force.

    Raises
    ------
    BadValue
        There is too little to judge by, or no rule states a number.
    """
    in_force = dict(personas or split.cases.definitions.personas)
    parts = split.parts(objective)
    options = candidates(parts["train"], in_force, effort.values)
    if not options:
        raise BadValue("No rule of these personas states a number, so that nothing can move.")
    grids = {part: _grid(rows, objective, in_force, options) for part, rows in parts.items()}
    rank = partial(objective.rank, personas=in_order(in_force))
    before, train = chosen(grids["train"], in_force), grids["train"]
    starts = random_starts(train, effort.starts, seed=seed)
    choice = best_of(train, train.counts(), before, starts, rank)
    others = _searched_again(train, parts["train"], before, choice, objective, seed, effort)
    proposed = with_values(in_force, _moved(options, before, choice))
    figures, difference = judged(
        parts, objective, in_force, proposed, draws=effort.draws, seed=seed
    )
    return Proposal(
        personas=proposed,
        in_force=in_force,
        objective=objective,
        split=split,
        seed=seed,
        thresholds=_stability(options, before, choice, others),
        figures=figures,
        curves=_curves(grids, objective, choice),
        difference=difference,
    )


def _grid(
    rows: pl.DataFrame, objective: Objective, personas: Personas, options: Candidates
) -> Grid:
    return Grid.of(rows, *objective.kinds(rows, in_order(personas)), personas, options)


def _moved(options: Candidates, before: Choice, choice: Choice) -> dict[Threshold, float]:
    return {each: float(options[each][at]) for each, at in choice.items() if at != before[each]}


def _searched_again(
    grid: Grid,
    rows: pl.DataFrame,
    before: Choice,
    choice: Choice,
    objective: Objective,
    seed: int,
    effort: Effort,
) -> list[Choice]:
    """What searches choose in bootstrap samples of the people."""
    rank = partial(objective.rank, personas=grid.personas)
    person = rows["user_id"].rank("dense").to_numpy().astype(np.int64) - 1
    rng, people = np.random.default_rng(seed), int(person.max()) + 1
    found = []
    for _ in range(effort.searches):
        times = np.bincount(rng.integers(people, size=people), minlength=people)
        counts = grid.counts(times[person].astype(np.float64))
        found.append(best_of(grid, counts, before, [choice], rank))
    return found


def _stability(
    options: Candidates, before: Choice, choice: Choice, others: list[Choice]
) -> pl.DataFrame:
    rows = []
    for threshold, cuts in options.items():
        again = np.array([cuts[other[threshold]] for other in others])
        proposed = cuts[choice[threshold]]
        low, high = np.quantile(again, [0.25, 0.75]) if len(again) else (np.nan, np.nan)
        same = float(np.mean(again == proposed)) if len(again) else np.nan
        moved = choice[threshold] != before[threshold]
        rows.append((threshold.name, cuts[before[threshold]], proposed, moved, same, low, high))
    schema = ("threshold", "in_force", "proposed", "moved", "same_share", "low", "high")
    return pl.DataFrame(rows, schema=schema, orient="row")


def _curves(grids: Mapping[str, Grid], objective: Objective, choice: Choice) -> pl.DataFrame:
    """The objective by the value of each threshold, the others as chosen."""
    tables = []
    for threshold, cuts in grids["train"].options.items():
        heights = {
            part: objective.value(grid.sweep(grid.counts(), choice, threshold), grid.personas)
            for part, grid in grids.items()
        }
        tables.append(
            pl.DataFrame({"threshold": [threshold.name] * len(cuts), "value": cuts} | heights)
        )
    return pl.concat(tables)
