"""What attribution answers: frames of plain figures, one row per model and key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mi_core.attribution.intervals import interval
from mi_core.attribution.models import Estimate, Estimates

if TYPE_CHECKING:
    import polars as pl

FloatArray = npt.NDArray[np.float64]

UNATTRIBUTED = "unattributed"
BASELINE = "last_touch"

_FRAMES = ("credits", "disagreement", "moves", "paths", "removal_effects")


@dataclass(frozen=True, slots=True, repr=False)
class Attribution:
    """Credit by model; `value`, `spend` and `cpa` are in the currency's unit.

    Intervals are percentiles of bootstrap draws of people, null where nothing was drawn. Of path
    tables, `since`, `until`, `persons`, `config_version` and `lake_snapshot` are None, and value is
    in the table's unit.

    Attributes
    ----------
    credits
        A row per model and key, and one for `unattributed` conversions, those without touchpoints:
        `model, <by>, conversions, conversions_low, conversions_high, value, value_low, value_high,
        share` (of the conversions on paths)`, spend, cpa, cpa_low, cpa_high, roas, roas_low,
        roas_high`.
    disagreement
        A row per key, the widest first: between which shares the models lie, and which say so.
    moves
        A row per model and key: how much of the credit it moves there (a share, negative: away)
        against last_touch, with the interval of paired draws; `is_clear` if that excludes 0.
    paths
        The most frequent paths: `path` (a list), `conversions, nulls, value, conversion_rate`.
    removal_effects
        Of markov: `<by>, removal_effect, low, high`; no rows where it wasn't run.
    spend_days
        Days of the period of which a cost is known: CPA and ROAS set the costs of these against the
        conversions of all.
    spend_without_campaign
        Costs that are known of a channel only, which no campaign has.
    """

    credits: "pl.DataFrame"
    disagreement: "pl.DataFrame"
    moves: "pl.DataFrame"
    paths: "pl.DataFrame"
    removal_effects: "pl.DataFrame"
    base_rate: float | None
    abstained: Mapping[str, str]
    assumptions: Mapping[str, str]
    by: str
    conversion: str | None
    since: datetime | None
    until: datetime | None
    lookback_days: float | None
    transform: str
    direct: str
    conversions: int
    value: float
    unattributed_conversions: int
    unattributed_value: float
    null_paths: int
    persons: int | None
    paths_in_all: int
    groups: int
    draws: int
    seed: int
    level: float
    config_version: str | None
    lake_snapshot: int | None
    spend_days: int | None = None
    spend_without_campaign: float = 0.0

    def __repr__(self) -> str:
        span = f" of {self.since:%Y-%m-%d} to {self.until:%Y-%m-%d}" if self.days else ""
        models = self.credits["model"].n_unique()
        return (
            f"<Attribution by {self.by}: {self.conversions:,} conversions{span},"
            f" {self.unattributed_conversions:,} of them unattributed, by {models} models. Frames:"
            f" {', '.join(f'.{name}' for name in _FRAMES)}>"
        )

    @property
    def days(self) -> int | None:
        """Of the period."""
        return (self.until - self.since).days if self.since and self.until else None

    @property
    def spend_gaps(self) -> list[str]:
        """What of the spend isn't known, in sentences."""
        said = []
        if self.spend_days and self.days and self.spend_days < self.days:
            said.append(
                f"Spend is known for {self.spend_days} of {self.days} days only, and is set against"
                " the conversions of all of them."
            )
        if self.by == "campaign" and self.spend_without_campaign:
            said.append(
                f"Of the spend, {self.spend_without_campaign:,.0f} is known by channel only: no"
                " campaign has it."
            )
        return said

    @property
    def converting_paths(self) -> int:
        """Conversions with touchpoints."""
        return self.conversions - self.unattributed_conversions

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: frames as lists of rows."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {name: plain[name].to_dicts() for name in _FRAMES}


def credit_frame(
    found: Estimates,
    models: list[str],
    by: str,
    *,
    unit: float,
    spend: Mapping[str, float],
    level: float,
) -> "pl.DataFrame":
    """The frame `credits`; `unit` is how many of the paths' value are one of the currency."""
    import polars as pl

    totals = found.totals
    none = Estimate(
        found.total(totals.unattributed)[:, np.newaxis],
        found.total(totals.unattributed_value)[:, np.newaxis],
    )
    parts = []
    for model in models:
        given = found.by_model[model]
        conversions = np.hstack([given.conversions, none.conversions])
        value = np.hstack([given.value, none.value]) / unit
        columns = {by: [*found.keys, UNATTRIBUTED], **_spread("conversions", conversions, level)}
        columns |= _spread("value", value, level)
        columns["share"] = [*given.shares[0], np.nan]
        parts.append(pl.DataFrame({"model": model, **columns}))
    credits = pl.concat(parts) if parts else _no_credits(by)
    spent = pl.DataFrame(
        {by: list(spend), "spend": list(spend.values())},
        schema={by: pl.String, "spend": pl.Float64},
    )
    return (
        credits.with_columns(pl.col(pl.Float64).fill_nan(None))
        .join(spent, on=by, how="left", maintain_order="left")
        .with_columns(
            _ratio("spend", "conversions").alias("cpa"),
            _ratio("spend", "conversions_high").alias("cpa_low"),
            _ratio("spend", "conversions_low").alias("cpa_high"),
            _ratio("value", "spend").alias("roas"),
            _ratio("value_low", "spend").alias("roas_low"),
            _ratio("value_high", "spend").alias("roas_high"),
        )
    )


def disagreement_frame(credits: "pl.DataFrame", by: str) -> "pl.DataFrame":
    """The frame `disagreement`, from `credits`."""
    import polars as pl

    share = pl.col("share")
    return (
        credits.filter(share.is_not_null())
        .group_by(by, maintain_order=True)
        .agg(
            share.min().alias("lowest_share"),
            pl.col("model").sort_by(share, maintain_order=True).first().alias("lowest_model"),
            share.max().alias("highest_share"),
            pl.col("model")
            .sort_by(share, descending=True, maintain_order=True)
            .first()
            .alias("highest_model"),
        )
        .with_columns((pl.col("highest_share") - pl.col("lowest_share")).alias("spread"))
        .sort("spread", descending=True, maintain_order=True)
    )


def move_frame(found: Estimates, models: list[str], by: str, *, level: float) -> "pl.DataFrame":
    """The frame `moves`."""
    import polars as pl

    figures = ("share", "last_touch_share", "move", "move_low", "move_high")
    schema: dict[str, pl.DataType] = {"model": pl.String(), by: pl.String()}
    schema |= {**dict.fromkeys(figures, pl.Float64())}
    before = found.by_model[BASELINE].shares
    parts = []
    for model in (name for name in models if name != BASELINE):
        shares = found.by_model[model].shares
        spread = _spread("move", shares - before, level)
        columns = {by: found.keys, "share": shares[0], "last_touch_share": before[0], **spread}
        parts.append(pl.DataFrame({"model": model, **columns}, schema=schema))
    moves = pl.concat(parts) if parts else pl.DataFrame(schema=schema)
    is_clear = (pl.col("move_low") > 0) | (pl.col("move_high") < 0)
    return moves.with_columns(pl.col(pl.Float64).fill_nan(None)).with_columns(
        is_clear.fill_null(False).alias("is_clear")
    )


def removal_frame(found: Estimates, by: str, *, level: float) -> "pl.DataFrame":
    """The frame `removal_effects`."""
    import polars as pl

    figures = ("removal_effect", "low", "high")
    schema = {by: pl.String(), **dict.fromkeys(figures, pl.Float64())}
    if found.removal is None:
        return pl.DataFrame(schema=schema)
    low, high = _interval(found.removal.effects[1:], level)
    columns = {by: found.keys, "removal_effect": found.removal.effects[0], "low": low, "high": high}
    return pl.DataFrame(columns, schema=schema).with_columns(pl.col(pl.Float64).fill_nan(None))


def _spread(name: str, rows: FloatArray, level: float) -> dict[str, FloatArray]:
    """Row 0, and the interval of the others, as columns."""
    low, high = _interval(rows[1:], level)
    return {name: rows[0], f"{name}_low": low, f"{name}_high": high}


def _interval(draws: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    if not len(draws):
        nothing = np.full(draws.shape[1:], np.nan)
        return nothing, nothing
    return interval(draws, level)


def _ratio(above: str, below: str) -> "pl.Expr":
    """Null where either is missing or the divisor is 0."""
    import polars as pl

    return pl.when(pl.col(below) > 0).then(pl.col(above) / pl.col(below))


def _no_credits(by: str) -> "pl.DataFrame":
    import polars as pl

    figures = ("conversions", "value")
    columns = [f"{name}{end}" for name in figures for end in ("", "_low", "_high")]
    return pl.DataFrame(
        schema={"model": pl.String, by: pl.String} | dict.fromkeys([*columns, "share"], pl.Float64)
    )
