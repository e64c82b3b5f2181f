"""The tables of a funnel, from how far each person got."""

import math
from collections.abc import Sequence

import numpy as np
import polars as pl

from mi_core.funnels.fold import Reached

DAY_US = 86_400_000_000

MOST_BUCKETS = 60
"""Of a histogram; of fewer people, the cube root of their number, as PostHog has it."""


def people_frame(reached: Reached, breakdown: pl.Series) -> pl.DataFrame:
    """A row for each person who isn't left out, with a column for each step's moment."""
    moments = {f"moment_{step}": row for step, row in enumerate(reached.moments, start=1)}
    people = pl.DataFrame(
        {"furthest": reached.furthest, "is_open": reached.is_open, **moments}
    ).with_columns(breakdown.alias("breakdown"))
    return people.filter(pl.Series(~reached.is_left_out))


def step_frame(people: pl.DataFrame, keys: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The frame `steps`, of the breakdowns `keys`, even of those with nobody."""
    counted = pl.concat(_step(people, position) for position in range(1, len(names) + 1))
    steps = pl.DataFrame({"position": range(1, len(names) + 1), "step": names})
    all_people, reached = pl.col("people"), pl.col("people").replace(0, None)
    return (
        keys.join(steps, how="cross", maintain_order="left_right")
        .join(counted, on=["breakdown", "position"], how="left", maintain_order="left")
        .with_columns(all_people.fill_null(0), pl.col("open").fill_null(0))
        .with_columns(
            (all_people / reached.shift(1).over("breakdown")).alias("rate_of_previous"),
            (all_people / reached.first().over("breakdown")).alias("rate_of_first"),
        )
        .select(
            *("breakdown", "position", "step", "people", "rate_of_previous", "rate_of_first"),
            *("median_days", "p25_days", "p75_days", "median_days_from_first", "open"),
        )
    )


def _step(people: pl.DataFrame, position: int) -> pl.DataFrame:
    """Who reached a step: how many, how long it took them, how many may yet get further."""
    is_last = pl.col("furthest") == position
    return (
        people.filter(pl.col("furthest") >= position)
        .group_by("breakdown")
        .agg(
            pl.len().cast(pl.Int64).alias("people"),
            (pl.col("is_open") & is_last).sum().cast(pl.Int64).alias("open"),
            **(_spread(position) if position > 1 else dict.fromkeys(_SPREAD, _NO_DAYS)),
        )
        .with_columns(pl.lit(position, pl.Int64).alias("position"))
    )


_SPREAD = ("median_days", "p25_days", "p75_days", "median_days_from_first")
_NO_DAYS = pl.lit(None, pl.Float64)


def _spread(position: int) -> dict[str, pl.Expr]:
    """How long a step took, since the step before and since the first."""
    first, before, here = (pl.col(f"moment_{step}") for step in (1, position - 1, position))
    days, all_days = (here - before) / DAY_US, (here - first) / DAY_US
    parts = (days.quantile(part, "linear") for part in (0.5, 0.25, 0.75))
    return dict(zip(_SPREAD, (*parts, all_days.median()), strict=True))


def time_frame(people: pl.DataFrame, keys: pl.DataFrame, steps: int) -> pl.DataFrame:
    """The frame `times`, of the breakdowns `keys`: people by days from first step to last."""
    done = people.filter(pl.col("furthest") == steps)
    spans = (done[f"moment_{steps}"] - done["moment_1"]).to_numpy()
    buckets = min(MOST_BUCKETS, math.ceil(round(len(spans) ** (1 / 3), 9)))
    longest = int(spans.max()) if len(spans) else 0
    if not longest:
        buckets = min(1, buckets)
    # In whole microseconds, so that what lies on a bound is on its right side.
    place = np.minimum(spans * buckets // max(1, longest), buckets - 1)
    counted = (
        done.select("breakdown", pl.Series("bucket", place, pl.Int64))
        .group_by("breakdown", "bucket")
        .agg(pl.len().cast(pl.Int64).alias("people"))
    )
    number = pl.Series("bucket", range(buckets), pl.Int64)
    days = longest / DAY_US
    bounds = pl.DataFrame({"bucket": number}).with_columns(
        (number * days / buckets).alias("bucket_from_days"),
        ((number + 1) * days / buckets).alias("bucket_to_days"),
    )
    return (
        keys.join(bounds, how="cross", maintain_order="left_right")
        .join(counted, on=["breakdown", "bucket"], how="left", maintain_order="left")
        .select("breakdown", "bucket_from_days", "bucket_to_days", pl.col("people").fill_null(0))
    )


def breakdowns(people: pl.DataFrame) -> pl.DataFrame:
    """The breakdowns that there are, the one with most people first."""
    counts = people.group_by("breakdown").len()
    return counts.sort(pl.col("len"), "breakdown", descending=[True, False]).select("breakdown")
