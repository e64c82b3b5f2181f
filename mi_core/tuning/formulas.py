"""Intent and magnetism of whole frames by other points and weights, as arrays.

The formulas of `intent.py` and `magnetism.py` over the columns of `Cases`; a test holds them equal
to what the relations scored.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from mi_core.definitions import IntentRules, MagnetismRules

FloatArray = npt.NDArray[np.float64]


def intent_scores(
    frame: pl.DataFrame, rules: IntentRules, factors: Mapping[str, float] | None = None
) -> FloatArray:
    """Intent scores, 0-100, not rounded, with the points of some signals times a factor.

    A cap on what one event can give is taken times the factor, too. How many signals there were
    and when the last came stays: that is what other points in the definitions would give.
    """
    points = np.zeros(frame.height)
    for column in (name for name in frame.columns if name.startswith("points_")):
        factor = (factors or {}).get(column.removeprefix("points_"), 1.0)
        points += factor * frame[column].to_numpy()
    return np.minimum(100.0, points + _bonus(frame, rules))


def _bonus(frame: pl.DataFrame, rules: IntentRules) -> FloatArray:
    """Recency and frequency; 0 for who gave no signal."""
    number = np.maximum(1, frame["signals_count"].to_numpy())
    frequency = np.minimum(rules.frequency_max, rules.frequency_factor * np.log2(number))
    age = frame["age_days"].fill_null(np.inf).to_numpy()
    recency = np.maximum(0.0, rules.recency_max - age / rules.recency_days_per_point)
    return np.where(frame["signals_count"].to_numpy() > 0, recency + frequency, 0.0)


MAGNETISM_PARTS = (
    *("intent", "engagement", "reactivation", "email_ctr", "social_returns"),
    *("trial", "purchase"),
)
"""What has points in the magnetism index: five parts, and two bonuses."""


def magnetism_scores(
    frame: pl.DataFrame, rules: MagnetismRules, factors: Mapping[str, float] | None = None
) -> FloatArray:
    """Magnetism indexes of 30 days, 0-100, with the points of some parts times a factor."""
    weights = rules.weights.model_dump() | rules.bonuses.model_dump()
    points = np.zeros(frame.height)
    for name, share in magnetism_shares(frame, rules).items():
        points += (factors or {}).get(name, 1.0) * weights[name] * share
    return np.minimum(100.0, points)


def magnetism_shares(frame: pl.DataFrame, rules: MagnetismRules) -> dict[str, FloatArray]:
    """How full each part is, 0-1, by row."""
    full = rules.saturations
    each = {name: frame[name].to_numpy().astype(np.float64) for name in _HABITS}
    engagement = (
        rules.active_days_share * each["active_days"] / full.active_days
        + rules.active_weeks_share * each["active_weeks"] / full.active_weeks
    )
    sends, clicks = each["email_sends"], each["email_clicks"]
    rate = np.divide(clicks, sends, out=np.zeros_like(clicks), where=sends > 0)
    return {
        "intent": each["month_intent_score"] / 100,
        "engagement": engagement,
        "reactivation": np.minimum(1, each["reactivations"] / full.reactivations),
        "email_ctr": np.minimum(1, rate),
        "social_returns": np.minimum(1, each["social_returns"] / full.social_returns),
        "trial": each["had_trial"],
        "purchase": each["had_purchase"],
    }


_HABITS = (
    *("month_intent_score", "active_days", "active_weeks", "reactivations", "social_returns"),
    *("email_sends", "email_clicks", "had_trial", "had_purchase"),
)
