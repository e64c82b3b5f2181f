"""What the intervals allow to be said: which channels differ, and where a budget would move.

Every rule here errs on the side of saying nothing. Two intervals that don't overlap differ also
where the two credits depend on each other, since the spread of a difference is at most the sum of
the two spreads. So "clear" is never said of what paired draws would call noise.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

FLOOR = 3.7
"""Conversions that a channel with none may still stand for: the upper end of the exact 95 %
interval of a Poisson count of 0. Drawing people again never shows what no person did."""

FEW = 10
"""With fewer conversions on paths nothing is said of differences: draws of so few look too sure."""


def apart(credits: "pl.DataFrame") -> "pl.DataFrame":
    """Pairs of keys of which one clearly has more, by model: `model, ahead, behind`.

    Parameters
    ----------
    credits
        `model, key, low, high`: the ends of each interval, in conversions.
    """
    import polars as pl

    low = credits.select("model", pl.col("key").alias("ahead"), "low")
    high = credits.select("model", pl.col("key").alias("behind"), "high")
    is_clear = pl.col("low") > pl.max_horizontal("high", pl.lit(FLOOR))
    pairs = low.join(high, on="model").filter((pl.col("ahead") != pl.col("behind")) & is_clear)
    return pairs.select("model", "ahead", "behind")


def pairs(keys: int) -> int:
    """How many pairs there are of so many keys."""
    return keys * (keys - 1) // 2


def shifts(credits: "pl.DataFrame") -> "pl.DataFrame":
    """What would move, by model and key with spend, if the same spend followed the credit.

    Columns `model, key, spend, cpa, roas, spend_share, share` (of the credit of keys with spend),
    `share_low, share_high, shift` (in the currency) and `is_clear`.

    The ends of a share take the key's own credit at one end of its interval and all others' at the
    other, which is wider than it need be.
    """
    import polars as pl

    paid = credits.filter(pl.col("spend").fill_null(0) > 0).with_columns(
        pl.col("high").clip(lower_bound=FLOOR)
    )
    low, high, spend = (pl.col(name) for name in ("low", "high", "spend"))
    low_of_others, high_of_others, spent = (
        each.sum().over("model") - own for each, own in ((low, low), (high, high), (spend, 0))
    )
    credited = pl.col("conversions").sum().over("model")
    share, spend_share = pl.col("share"), pl.col("spend_share")
    return (
        paid.filter(credited > 0)
        .select(
            "model",
            "key",
            "spend",
            "cpa",
            "roas",
            (spend / spent).alias("spend_share"),
            (pl.col("conversions") / credited).alias("share"),
            (low / (low + high_of_others)).fill_nan(0).alias("share_low"),
            (high / (high + low_of_others)).alias("share_high"),
            spent.alias("spent"),
        )
        .with_columns(((share - spend_share) * pl.col("spent")).alias("shift"))
        .with_columns(
            ((pl.col("share_low") > spend_share) | (pl.col("share_high") < spend_share))
            .fill_null(False)
            .alias("is_clear")
        )
        .drop("spent")
    )
