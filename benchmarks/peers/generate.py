"""Seeded touchpoints, journeys and events for the comparison with other packages, as Parquet.

| file | rows | holds |
|---|---|---|
| `touches` | some 1,000,000 | journey_id, touch_id, ts, channel (of 10), in time order |
| `journeys` | 200,000 | journey_id, converted, value |
| `paths` | some 85,000 | path (joined by ` > `), conversions, value, nulls |
| `events` | 10,000,000 | user_id (of 500,000), ts, event (of 12) over 91 days, in time order |
| `events_by_user` | 10,000,000 | the same, by person and time, as the lake keeps events |

No two touchpoints of a journey, and no two events of a person, have the same time: packages
disagree on ties, which is not what is compared here.
"""

from pathlib import Path

import numpy as np
import polars as pl
from peers.data import CHANNELS, DAY, DAYS, EVENTS, MONDAY, Size


def generated(folder: Path, size: Size) -> Path:
    """The folder with all files of a size, made once."""
    target = folder / size.name
    if not target.exists():
        unfinished = folder / "unfinished"
        unfinished.mkdir(parents=True, exist_ok=True)
        _write_touches(unfinished, size)
        _write_events(unfinished, size)
        unfinished.rename(target)
    return target


def _write_touches(folder: Path, size: Size) -> None:
    touches, journeys = _touches(size, np.random.default_rng(20261122))
    _write(touches.sort("ts", "journey_id"), folder / "touches.parquet")
    _write(journeys, folder / "journeys.parquet")
    converted = pl.col("converted") == 1
    paths = (
        touches.group_by("journey_id", maintain_order=True)
        .agg(pl.col("channel").str.join(" > ").alias("path"))
        .join(journeys, on="journey_id")
        .group_by("path")
        .agg(
            converted.sum().cast(pl.Int64).alias("conversions"),
            pl.col("value").sum(),
            (~converted).sum().cast(pl.Int64).alias("nulls"),
        )
        .sort("path")
    )
    _write(paths, folder / "paths.parquet")


def _touches(size: Size, rng: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Walks of a Markov chain over channels: 5 touchpoints on average, with a long tail."""
    lengths = 1 + rng.negative_binomial(2, 1 / 3, size.journeys)
    starts = np.cumsum(lengths) - lengths
    channels = _walks(lengths, starts, rng)
    pull = rng.permutation(np.linspace(-0.5, 0.9, len(CHANNELS)))
    odds = -3.0 + 0.45 * np.add.reduceat(pull[channels], starts)
    converted = rng.random(size.journeys) < 1 / (1 + np.exp(-odds))
    value = np.where(converted, rng.lognormal(3.6, 0.7, size.journeys).round(2), 0.0)
    begins = rng.random(size.journeys) * 60 * DAY
    times = _increasing(begins, rng.exponential(1.6 * DAY, len(channels)), lengths, starts)
    touches = pl.DataFrame(
        {
            "journey_id": np.repeat(np.arange(size.journeys, dtype=np.int32), lengths),
            "touch_id": np.arange(len(channels)),
            "ts": pl.Series(MONDAY + times).cast(pl.Datetime("us")),
            "channel": _names(CHANNELS, channels),
        }
    )
    journeys = pl.DataFrame(
        {
            "journey_id": np.arange(size.journeys, dtype=np.int32),
            "converted": converted.astype(np.int8),
            "value": value,
        }
    )
    return touches, journeys


def _walks(lengths: np.ndarray, starts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The channel of every touchpoint, all journeys walking in step."""
    n = len(CHANNELS)
    steps = 0.75 * rng.dirichlet(np.full(n, 0.8), n) + 0.25 * np.eye(n)
    upto = steps.cumsum(axis=1)
    channels = np.empty(lengths.sum(), np.int8)
    here = rng.choice(n, len(lengths), p=rng.dirichlet(np.full(n, 2.0)))
    walking = np.arange(len(lengths))
    for step in range(lengths.max()):
        walking = walking[lengths[walking] > step]
        if step:
            luck = rng.random((len(walking), 1))
            here[walking] = np.minimum((luck > upto[here[walking]]).sum(axis=1), n - 1)
        channels[starts[walking] + step] = here[walking]
    return channels


def _increasing(
    begins: np.ndarray, gaps: np.ndarray, lengths: np.ndarray, starts: np.ndarray
) -> np.ndarray:
    """Whole microseconds: each group's begin, and then a gap of at least one between its rows."""
    gaps = np.maximum(gaps, 1).astype(np.int64)
    gaps[starts] = begins.astype(np.int64)
    run = np.cumsum(gaps)
    return run - np.repeat(run[starts] - gaps[starts], lengths)


def _write_events(folder: Path, size: Size) -> None:
    events = _events(size, np.random.default_rng(7))
    _write(events, folder / "events_by_user.parquet")
    _write(events.sort("ts", "user_id"), folder / "events.parquet")


def _events(size: Size, rng: np.random.Generator) -> pl.DataFrame:
    """Few people with many events, many with few; each comes, is active for a while, and goes."""
    activity = rng.gamma(0.9, 1.0, size.users) + 0.05
    counts = 1 + rng.multinomial(size.events - size.users, activity / activity.sum())
    starts = np.cumsum(counts) - counts
    rests = rng.lognormal(np.log(0.9 * DAY), 0.9, size.users)
    gaps = rng.exponential(1.0, size.events) * np.repeat(rests, counts)
    times = _increasing(rng.random(size.users) * 84 * DAY, gaps, counts, starts)
    # Who would go on for longer has the rest on the last day.
    late = DAYS * DAY - 1 - rng.integers(0, DAY, size.events)
    kinds = rng.choice(len(EVENTS), size.events, p=np.array(list(EVENTS.values())))
    return (
        pl.DataFrame(
            {
                "user_id": np.repeat(np.arange(size.users, dtype=np.int32), counts),
                "ts": pl.Series(MONDAY + np.minimum(times, late)).cast(pl.Datetime("us")),
                "event": _names(tuple(EVENTS), kinds),
            }
        )
        .sort("user_id", "ts")
        .unique(["user_id", "ts"], keep="first", maintain_order=True)
    )


def _names(names: tuple[str, ...], codes: np.ndarray) -> pl.Series:
    return pl.Series(codes.astype(np.uint32)).replace_strict(
        list(range(len(names))), list(names), return_dtype=pl.String
    )


def _write(frame: pl.DataFrame, target: Path) -> None:
    frame.write_parquet(target, compression="zstd")
