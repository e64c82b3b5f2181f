"""What a threshold does at each of its values, added up beforehand so that a chart can ask."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import polars as pl

from mi_core.errors import BadValue
from mi_core.tuning.rules import Personas, Threshold, assign, find_threshold, in_order, with_values

MOST_STEPS = {1: 100, 2: 20}
"""How many thresholds may be looked at together → at how many values each: a chart holds them."""


def effects(
    frame: pl.DataFrame, personas: Personas, names: Sequence[str], *, steps: int = 20
) -> pl.DataFrame:
    """Who would have which persona, and how often the outcome followed, by thresholds' values.

    Parameters
    ----------
    frame
        Cases; the outcome is counted where there is one.
    names
        One or two thresholds, such as `automation_pro.engagement_above`.
    steps
        How many values of each are looked at, at most 100 of one and 20 of two: whole numbers at
        even distances over what people have, with the value in force among them.

    Returns
    -------
    pl.DataFrame
        A column for each threshold with its value, and `persona, cases, share, eligible, happened,
        rate, base_rate`; `rate` is null where nobody of the persona is eligible.

    Raises
    ------
    UnknownName, BadValue
        No rule states a threshold of that name; none or more than two are named.
    """
    if len(names) not in MOST_STEPS:
        raise BadValue(f"Name one or two thresholds, not {len(names)}.")
    if not 2 <= steps <= MOST_STEPS[len(names)]:
        most = MOST_STEPS[len(names)]
        raise BadValue(f"Between 2 and {most} values are looked at, not {steps}.")
    found = [find_threshold(personas, name) for name in names]
    values = [_values(frame, each, each.value(personas), steps) for each in found]
    tables = [
        _counted(frame, with_values(personas, dict(zip(found, chosen, strict=True)))).select(
            *(pl.lit(v).alias(n) for n, v in zip(names, chosen, strict=True)), pl.all()
        )
        for chosen in product(*values)
    ]
    return pl.concat(tables)


def _values(frame: pl.DataFrame, threshold: Threshold, in_force: float, steps: int) -> list[float]:
    """Values at even distances through the one in force, so that a slider can step over them."""
    column = frame[threshold.column].fill_null(0).to_numpy()
    # The highest hundredth is thin, and of company sizes a hundred times as far as the rest.
    most = max(float(np.quantile(column, 0.99)) if len(column) else 0.0, in_force)
    step = max(1.0, np.ceil(most / (steps - 1)))
    lowest = in_force - step * np.floor(in_force / step)
    return [float(value) for value in np.arange(lowest, most + 1e-9, step)][:steps]


def _counted(frame: pl.DataFrame, personas: Personas) -> pl.DataFrame:
    """A row for each persona, in the order of their rules."""
    outcome = pl.col("outcome")
    counted = (
        frame.select(assign(frame, personas), "outcome")
        .group_by("persona")
        .agg(
            pl.len().cast(pl.Int64).alias("cases"),
            outcome.count().cast(pl.Int64).alias("eligible"),
            outcome.sum().cast(pl.Int64).alias("happened"),
        )
    )
    everybody = pl.DataFrame({"persona": [each.slug for each in in_order(personas)]})
    found = everybody.join(counted, on="persona", how="left", maintain_order="left").fill_null(0)
    eligible, happened = pl.col("eligible"), pl.col("happened")
    base = pl.when(eligible.sum() > 0).then(happened.sum() / eligible.sum())
    return found.with_columns(
        (pl.col("cases") / max(1, frame.height)).alias("share"),
        pl.when(eligible > 0).then(happened / eligible).alias("rate"),
        base.alias("base_rate"),
    )
