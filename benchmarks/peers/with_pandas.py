"""The comparison's work written by hand for pandas."""

from pathlib import Path
from typing import Any

from peers.data import HALF_LIFE, MONDAY, STEPS, WEEK


def rules(data: Path) -> dict[str, dict[str, float]]:
    """The five rules that most packages have."""
    import numpy as np
    import pandas as pd

    journeys = pd.read_parquet(data / "journeys.parquet")
    steps = (
        pd.read_parquet(data / "touches.parquet")
        .merge(journeys[journeys["converted"] == 1], on="journey_id")
        .sort_values(["journey_id", "ts"])
    )
    path = steps.groupby("journey_id", sort=False)
    position = path.cumcount() + 1
    n = path["channel"].transform("size")
    age = (path["ts"].transform("max") - steps["ts"]).astype("int64")
    weight = 2.0 ** (-age / HALF_LIFE)
    weights = weight.groupby(steps["journey_id"], sort=False).transform("sum")
    is_end = (position == 1) | (position == n)
    shares = pd.DataFrame(
        {
            "first_touch": (position == 1) * 1.0,
            "last_touch": (position == n) * 1.0,
            "linear": 1 / n,
            "position_based": np.select(
                [n == 1, n == 2, is_end], [1.0, 0.5, 0.4], 0.2 / (n - 2).clip(lower=1)
            ),
            "time_decay": weight / weights,
        }
    )
    worth = shares.mul(steps["value"], axis=0).add_suffix(" value")
    sums = pd.concat([shares, worth], axis=1).groupby(steps["channel"]).sum()
    return {str(name): dict(sums[name]) for name in sums}


def funnel(file: Path) -> dict[str, dict[str, float]]:
    """How many people took each step in order, within a week of the first."""
    import pandas as pd

    events = pd.read_parquet(file, filters=[("event", "in", STEPS)])
    events["step"] = events["event"].map({step: n for n, step in enumerate(STEPS)}).astype("int8")
    events["at"] = events["ts"].astype("int64")
    events = events.sort_values(["user_id", "at"])
    person = events["user_id"]
    begun = events["at"].where(events["step"] == 0).astype("float64")
    people = {STEPS[0]: float(person[begun.notna()].nunique())}
    for number, step in enumerate(STEPS[1:], start=1):
        latest = begun.groupby(person, sort=False).cummax()
        latest = latest.groupby(person, sort=False).ffill().groupby(person, sort=False).shift()
        begun = latest.where((events["step"] == number) & (events["at"] - latest <= WEEK))
        people[step] = float(person[begun.notna()].nunique())
    return {"people": people}


def retention(file: Path) -> dict[str, dict[Any, float]]:
    """How many people of each week's newcomers had events how many weeks later."""
    import pandas as pd

    events = pd.read_parquet(file, columns=["user_id", "ts"])
    events["week"] = ((events["ts"].astype("int64") - MONDAY) // WEEK).astype("int8")
    weeks = events[["user_id", "week"]].drop_duplicates()
    cohort = weeks.groupby("user_id")["week"].transform("min").rename("cohort")
    counts = weeks.groupby([cohort, (weeks["week"] - cohort).rename("period")]).size()
    return {"people": {(int(c), int(p)): float(n) for (c, p), n in counts.items()}}
