"""What the paid channels' campaigns cost, day by day.

A budget follows the week: for each channel and day, the mean daily visits of the days from three
before to three after, times what a visit costs, times chance around 1 for each campaign. The
chance has a stream of its own, so that the same seed has the same events with and without it.
"""

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from mi_core.synthetic.journeys import Floats
from mi_core.synthetic.model import CAMPAIGNS, CHANNELS, CLICK_COSTS, Plan
from mi_core.synthetic.texts import Longs

_STREAM = 3  # beside those of a block: its rows (none), their way (1), their texts (2)
_SPREAD = 0.2  # sigma of the lognormal chance
_WEEK = np.ones(7)


def write_spend(path: Path, plan: Plan, daily_visits: Longs) -> None:
    """Writes one row per day, paid channel and campaign; `daily_visits` is (channels, days)."""
    rng = np.random.default_rng([plan.seed, 0, _STREAM])
    days = pl.Series("date", [plan.start.date() + timedelta(days=d) for d in range(plan.days)])
    campaigns = [
        pl.DataFrame(
            {
                "date": days,
                "channel": [name] * plan.days,
                "campaign": [f"{name}-{campaign}"] * plan.days,
                "spend": _spend(rng, cost / len(CAMPAIGNS), daily_visits[number]),
            }
        )
        for number, name in enumerate(CHANNELS)
        if (cost := CLICK_COSTS.get(name))
        for campaign in CAMPAIGNS
    ]
    pl.concat(campaigns).sort("date", "channel", "campaign").write_csv(path, float_precision=2)


def _spend(rng: np.random.Generator, cost: float, visits: Longs) -> Floats:
    """Spend by day, in the currency's unit."""
    weekly = np.convolve(visits, _WEEK, "same") / np.convolve(np.ones(len(visits)), _WEEK, "same")
    chance = np.exp(_SPREAD * rng.standard_normal(len(visits)) - _SPREAD**2 / 2)
    spend: Floats = cost * weekly * chance
    return spend
