"""Who gets the credit: the frames that charts, tables and sentences are made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories.attribution import comparing, naming

if TYPE_CHECKING:
    import polars as pl

    from mi_core.attribution import Attribution

SHOWN = 12
"""Channels (or campaigns, …) shown, those with most credit; sentences are about these too."""

LAST_TOUCH = "last_touch"


@dataclass(frozen=True)
class Credit:
    """An Attribution with the names that people know its channels (campaigns, …) by.

    In each frame `key` is what credit goes to and `label` its name; rows come in the order of
    `shown`, then of `models`.
    """

    found: "Attribution"
    labels: Mapping[str, str]

    def noun(self, number: int = 1) -> str:
        """What credit goes to: `channel`, `channels`."""
        return words.noun(self.found.by, number)

    def label(self, key: str) -> str:
        if key == naming.NONE:
            return f"No known {self.noun()}"
        return naming.label(key, self.labels)

    @cached_property
    def models(self) -> list[str]:
        """The models that gave an answer."""
        asked = self.found.credits["model"].unique().to_list()
        return naming.in_order(name for name in asked if name not in self.found.abstained)

    @property
    def conversions(self) -> int:
        """Conversions with touchpoints: what is shared out."""
        return int(self.found.conversions - self.found.unattributed_conversions)

    @property
    def has_intervals(self) -> bool:
        return bool(self.found.draws)

    @property
    def can_tell(self) -> bool:
        """Whether there is enough to say what differs."""
        return self.has_intervals and self.conversions >= comparing.FEW and len(self.named) > 1

    @cached_property
    def keys(self) -> "pl.Series":
        """All that has credit from any model or spend, by the mean credit over the models."""
        import polars as pl

        credited, spent = pl.col("conversions"), pl.col("spend").fill_null(0)
        by_key = self._answered.group_by("key").agg(
            credited.mean(), ((credited > 0) | (spent > 0)).any().alias("is_there")
        )
        there = by_key.filter("is_there").sort("conversions", "key", descending=[True, False])
        return there["key"]

    @property
    def shown(self) -> list[str]:
        """The first SHOWN of `keys`."""
        return self.keys.head(SHOWN).to_list()

    @property
    def named(self) -> list[str]:
        """Those of `shown` that can be compared: not what has no campaign (creative, …)."""
        return [key for key in self.shown if key != naming.NONE]

    @cached_property
    def rows(self) -> "pl.DataFrame":
        """The credits of the models that answered, less what goes to nobody.

        Beside the columns of `Attribution.credits` (its interval of conversions as `low, high`):
        `model_label`, and `written`, the conversions with their interval.
        """
        import polars as pl

        amounts = self._answered.select("conversions", "low", "high").iter_rows()
        written = pl.Series("written", [_with_interval(*each) for each in amounts], pl.String)
        return self._told(self._answered.with_columns(written))

    @cached_property
    def band(self) -> "pl.DataFrame":
        """`lowest_share, lowest_model, lowest_label, highest_…, spread` of each key."""
        import polars as pl

        band = self._keyed(self.found.disagreement).filter(pl.col("spread").is_not_null())
        return self._told(band).with_columns(
            _named(f"{end}_model", naming.heading).alias(f"{end}_label")
            for end in ("lowest", "highest")
        )

    @cached_property
    def firsts(self) -> dict[str, list[str]]:
        """Model → those of `named` with most credit from it; several where they tie."""
        import polars as pl

        rows = self.rows.filter(pl.col("key").is_in(self.named))
        most = pl.col("conversions").max().over("model")
        is_first = (pl.col("conversions") > 0) & (pl.col("conversions") > most - 1e-9)
        first = rows.filter(is_first).group_by("model", maintain_order=True)
        found = dict(first.agg("key").iter_rows())
        return {model: found[model] for model in self.models if model in found}

    def leads_clearly(self, key: str) -> list[str]:
        """The models under which a key is clearly ahead of each other one."""
        import polars as pl

        if not self.can_tell:
            return []
        named = self.rows.filter(pl.col("key").is_in(self.named))
        ahead = comparing.apart(named).filter(pl.col("ahead") == key)
        beaten = dict(ahead.group_by("model").len().iter_rows())
        return [model for model in self.models if beaten.get(model) == len(self.named) - 1]

    @cached_property
    def apart(self) -> "pl.DataFrame":
        """Pairs of `named` clearly apart: `ahead, behind, models` (under how many of them)."""
        import polars as pl

        rows = self.rows.filter(pl.col("key").is_in(self.named if self.can_tell else []))
        pairs = comparing.apart(rows).group_by("ahead", "behind").agg(pl.len().alias("models"))
        return pairs.sort("ahead", "behind")

    @cached_property
    def always_apart(self) -> "pl.DataFrame":
        """The pairs of `apart` that are so under every model."""
        return self.apart.filter(self.apart["models"] == len(self.models))

    @cached_property
    def moves(self) -> "pl.DataFrame":
        """`move, move_low, move_high, is_clear` against last touch, of each other model."""
        import polars as pl

        others = [model for model in self.models if model != LAST_TOUCH]
        moves = self._keyed(self.found.moves).filter(pl.col("model").is_in(others))
        clear = pl.col("is_clear").fill_null(False) & pl.lit(self.can_tell)
        return self._told(moves.with_columns(clear.alias("is_clear")))

    @property
    def spend(self) -> float:
        """What is known to have been spent in the period, on whatever got credit or not."""
        import polars as pl

        one = self._answered.filter(pl.col("model") == self.models[0]) if self.models else None
        return float(one["spend"].sum()) if one is not None else 0.0

    @cached_property
    def budget(self) -> "pl.DataFrame":
        """One row per key with spend, most first, over all models.

        `spend, spend_share, lowest_share, highest_share` (of the credit of those with spend),
        `lowest_shift, highest_shift` (in the currency), `is_more, is_less` (so says every model,
        clearly), `lowest_cpa, highest_cpa, lowest_roas, highest_roas`.
        """
        import polars as pl

        shift, clear = pl.col("shift"), pl.col("is_clear") & pl.lit(self.can_tell)
        ranges = {"share": "share", "shift": "shift", "cpa": "cpa", "roas": "roas"}
        by_key = comparing.shifts(self._answered).group_by("key").agg(
            pl.col("spend", "spend_share").first(),
            *(pl.col(name).min().alias(f"lowest_{name}") for name in ranges),
            *(pl.col(name).max().alias(f"highest_{name}") for name in ranges),
            (clear & (shift > 0)).all().alias("is_more"),
            (clear & (shift < 0)).all().alias("is_less"),
        )  # fmt: skip
        labelled = by_key.with_columns(_named("key", self.label).alias("label"))
        return labelled.sort("spend", "key", descending=[True, False])

    @cached_property
    def _answered(self) -> "pl.DataFrame":
        import polars as pl

        answered = pl.col("model").is_in(self.models)
        return (
            self._keyed(self.found.credits)
            .filter(answered & (pl.col("key") != naming.UNATTRIBUTED))
            .rename({"conversions_low": "low", "conversions_high": "high"})
        )

    def _keyed(self, frame: "pl.DataFrame") -> "pl.DataFrame":
        return frame.rename({self.found.by: "key"})

    def _told(self, frame: "pl.DataFrame") -> "pl.DataFrame":
        """The rows of keys that are shown, in order and with their names."""
        import polars as pl

        told = frame.filter(pl.col("key").is_in(self.shown)).with_columns(
            _named("key", self.label).alias("label")
        )
        order = [_position("key", self.shown)]
        if "model" in frame.columns:
            told = told.with_columns(_named("model", naming.heading).alias("model_label"))
            order.append(_position("model", self.models))
        return told.sort(order)


def _named(column: str, name: naming.Namer) -> "pl.Expr":
    import polars as pl

    return pl.col(column).map_elements(name, return_dtype=pl.String)


def _position(column: str, order: list[str]) -> "pl.Expr":
    import polars as pl

    return pl.col(column).replace_strict(order, range(len(order)), return_dtype=pl.Int64)


def _with_interval(conversions: float, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return words.amount(conversions)
    return f"{words.amount(conversions)} ({words.amount(low)}–{words.amount(high)})"
