"""The comparison's work written by hand for Polars, as somebody who knows it well would.

It reads the Parquet files lazily and leaves the plan to Polars; sums come by channel.
"""

from pathlib import Path
from typing import Any

from peers.data import HALF_LIFE, MONDAY, STEPS, WEEK


def bare_scan(data: Path) -> None:
    """Touchpoints by channel."""
    import polars as pl

    pl.scan_parquet(data / "touches.parquet").group_by("channel").len().collect()


def rules(data: Path) -> dict[str, dict[str, float]]:
    """The seven rules; no address was left, so that a W has no middle."""
    import polars as pl

    journey, n, value = "journey_id", pl.col("n"), pl.col("value")
    position, is_direct = pl.col("position"), pl.col("channel") == "direct"
    is_first, is_last = position == 1, position == n
    steps = (
        _touches(data)
        .join(_journeys(data).filter(converted=1), on=journey)
        .sort(journey, "ts")
        .with_columns(
            position=pl.int_range(1, pl.len() + 1).over(journey),
            n=pl.len().over(journey).cast(pl.Int64),
            age=(pl.col("ts").max().over(journey) - pl.col("ts")).dt.total_microseconds(),
        )
        .with_columns(
            weight=2.0 ** (-pl.col("age") / HALF_LIFE),
            last_known=position.filter(~is_direct).max().over(journey).fill_null(n),
        )
    )
    shares = {
        "first_touch": is_first.cast(pl.Float64),
        "last_touch": is_last.cast(pl.Float64),
        "last_non_direct": (position == pl.col("last_known")).cast(pl.Float64),
        "linear": 1 / n,
        "position_based": pl.when(n == 1)
        .then(1.0)
        .when(n == 2)
        .then(0.5)
        .when(is_first | is_last)
        .then(0.4)
        .otherwise(0.2 / (n - 2)),
        "w_shaped": pl.when(n == 1)
        .then(1.0)
        .when(n == 2)
        .then(0.5)
        .when(is_first | is_last)
        .then(0.3 / 0.7)
        .otherwise(0.1 / 0.7 / (n - 2)),
        "time_decay": pl.col("weight") / pl.col("weight").sum().over(journey),
    }
    sums = (
        steps.with_columns(**shares)
        .group_by("channel")
        .agg(
            *(pl.col(rule).sum() for rule in shares),
            *((pl.col(rule) * value).sum().alias(f"{rule} value") for rule in shares),
        )
        .collect()
    )
    return _by_key(sums, "channel")


def markov(data: Path) -> dict[str, dict[str, float]]:
    """Removal effects in a chain of order 1, normalised, by a matrix per channel."""
    import numpy as np
    import polars as pl

    steps = (
        _touches(data)
        .sort("journey_id", "ts")
        .select(
            "journey_id",
            "channel",
            before=pl.when(pl.col("journey_id") == pl.col("journey_id").shift()).then(
                pl.col("channel").shift()
            ),
            is_last=(pl.col("journey_id") != pl.col("journey_id").shift(-1)).fill_null(True),
        )
    )
    moves, ends = pl.collect_all(
        [
            steps.group_by("before", "channel").len(),
            steps.filter("is_last")
            .join(_journeys(data), on="journey_id")
            .group_by("channel", "converted")
            .len(),
        ]
    )
    channels = sorted(ends["channel"].unique())
    place = {None: 0} | {channel: number for number, channel in enumerate(channels, start=1)}
    counts = np.zeros((len(place), len(place)))
    converting, ending = np.zeros(len(place)), np.zeros(len(place))
    for before, channel, times in moves.iter_rows():
        counts[place[before], place[channel]] += times
    for channel, converted, times in ends.iter_rows():
        ending[place[channel]] += times
        converting[place[channel]] += times * converted
    leaving = counts.sum(axis=1) + ending
    moving, converts = counts / leaving[:, np.newaxis], converting / leaving

    def converted_share(removed: int | None = None) -> float:
        kept = moving.copy()
        if removed is not None:
            kept[:, removed] = 0
        return float(np.linalg.solve(np.eye(len(place)) - kept, converts)[0])

    base = converted_share()
    effects = {channel: 1 - converted_share(place[channel]) / base for channel in channels}
    return {"markov": scaled(effects, float(converting.sum()))}


def shapley(data: Path) -> dict[str, dict[str, float]]:
    """v(S) = conversions of paths inside S: each is shared equally by its path's channels."""
    import polars as pl

    sums = (
        _touches(data)
        .join(_journeys(data).filter(converted=1), on="journey_id")
        .select("journey_id", "channel")
        .unique()
        .with_columns(shapley=1 / pl.len().over("journey_id"))
        .group_by("channel")
        .agg(pl.col("shapley").sum())
        .collect()
    )
    return _by_key(sums, "channel")


def funnel(events: Path) -> dict[str, dict[str, float]]:
    """How many people took each step in order, within a week of the first."""
    import polars as pl

    steps = (
        pl.scan_parquet(events)
        .filter(pl.col("event").is_in(STEPS))
        .select(
            "user_id",
            at=pl.col("ts").dt.epoch("us"),
            step=pl.col("event").replace_strict(
                STEPS, list(range(len(STEPS))), return_dtype=pl.Int8
            ),
        )
        .sort("user_id", "at")
        .with_columns(s0=pl.when(pl.col("step") == 0).then(pl.col("at")))
    )
    for number in range(1, len(STEPS)):
        begun = pl.col(f"s{number - 1}").cum_max().forward_fill().shift().over("user_id")
        in_time = (pl.col("step") == number) & (pl.col("at") - pl.col("begun") <= WEEK)
        steps = steps.with_columns(begun=begun).with_columns(
            pl.when(in_time).then(pl.col("begun")).alias(f"s{number}")
        )
    reached = [pl.col(f"s{number}").is_not_null().any() for number in range(len(STEPS))]
    people = steps.group_by("user_id").agg(reached).select(pl.exclude("user_id").sum())
    return {"people": dict(zip(STEPS, people.collect().row(0), strict=True))}


def retention(events: Path) -> dict[str, dict[Any, float]]:
    """How many people of each week's newcomers had events how many weeks later."""
    import polars as pl

    weeks = (
        pl.scan_parquet(events)
        .select("user_id", week=((pl.col("ts").dt.epoch("us") - MONDAY) // WEEK).cast(pl.Int8))
        .unique()
    )
    cohorts = weeks.group_by("user_id").agg(cohort=pl.col("week").min())
    counts = (
        weeks.join(cohorts, on="user_id")
        .group_by("cohort", period=pl.col("week") - pl.col("cohort"))
        .len()
        .collect()
    )
    return {"people": {(cohort, period): n for cohort, period, n in counts.iter_rows()}}


def scaled(shares: dict[str, float], total: float) -> dict[str, float]:
    """The numbers in the same proportion, with another sum."""
    return {key: share / sum(shares.values()) * total for key, share in shares.items()}


def _touches(data: Path) -> Any:
    import polars as pl

    return pl.scan_parquet(data / "touches.parquet")


def _journeys(data: Path) -> Any:
    import polars as pl

    return pl.scan_parquet(data / "journeys.parquet")


def _by_key(sums: Any, key: str) -> dict[str, dict[str, float]]:
    measures = [column for column in sums.columns if column != key]
    return {name: dict(zip(sums[key], sums[name], strict=True)) for name in measures}
