"""What a search proposes, what speaks for it and against it, and how it is handed on."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib.metadata import version
from typing import Any

import polars as pl

from mi_core.definitions import Persona
from mi_core.tuning.baselines import baselines
from mi_core.tuning.objectives import Agreement, Lift, Objective
from mi_core.tuning.resampling import Figure
from mi_core.tuning.rules import Personas, thresholds
from mi_core.tuning.splitting import Split

_PACKAGES = ("mi-core", "numpy", "polars", "scikit-learn", "scipy")


@dataclass(frozen=True)
class Proposal:
    """Thresholds that a search found, held against those in force.

    Attributes
    ----------
    thresholds
        `threshold, in_force, proposed, moved, same_share, low, high`: of searches in bootstrap
        samples of the people, the share that chose the proposed value, and the values that the
        middle half of them chose.
    figures
        `rules, part, value, low, high, reach`: the objective of the rules in force, the proposal
        and their difference, on `train` and on `test`, with 95 % intervals over people. The search
        chose what does well on `train`: only `test` says how well it does. `reach` is the share of
        cases of personas of high intent level; null of labels.
    curves
        `threshold, value, train, test`: the objective by the value of one threshold, the others as
        proposed.
    difference
        What the proposal adds to the objective on `test`.
    """

    personas: dict[str, Persona]
    in_force: Personas
    objective: Objective
    split: Split
    seed: int
    thresholds: pl.DataFrame
    figures: pl.DataFrame
    curves: pl.DataFrame
    difference: Figure

    @cached_property
    def baselines(self) -> pl.DataFrame:
        """What a decision tree and a logistic regression do; see `baselines.baselines`."""
        rows = self.split.parts(self.objective)
        return baselines(rows, self.objective, self.in_force, self.personas, seed=self.seed)

    @property
    def is_clear(self) -> bool:
        """Whether the interval on `test` leaves out that nothing gets better."""
        return self.difference.low > 0

    def __repr__(self) -> str:
        return f"Proposal({self.said})"

    @property
    def said(self) -> str:
        """What may be said of it, in a sentence or two."""
        if not self.thresholds["moved"].any():
            nothing = "The search found nothing better than the rules in force."
            return " ".join(part for part in (nothing, self._what_was_sought()) if part)
        test = self.figures.filter(pl.col("part") == "test")
        before, after = test["value"][0], test["value"][1]
        change = f"{self.difference.low:+.3g} to {self.difference.high:+.3g}"
        told = (
            f"On people and days that the search didn't see, {self.objective.name} goes from"
            f" {before:.3g} to {after:.3g}; the 95 % interval of the change is {change}."
        )
        more = (self._judgement(), self._what_was_sought(), self._asked_for_more())
        return " ".join(part for part in (told, *more) if part)

    def _judgement(self) -> str:
        if self.is_clear:
            return ""
        worse = self.difference.high < 0
        return "That is worse." if worse else "That may be chance: keep the rules."

    def _what_was_sought(self) -> str:
        """That the objective isn't about the outcome itself, where it isn't."""
        cases = self.split.cases
        if isinstance(self.objective, Agreement) or cases.sought == cases.outcome:
            return ""
        return (
            f"It counts {cases.sought}, not {cases.outcome}: high intent should go with those who"
            " stay."
        )

    def _asked_for_more(self) -> str:
        """That the rules in force don't reach as many people as the objective asks for."""
        reached = self.figures["reach"][0]
        if not isinstance(self.objective, Lift) or reached >= self.objective.least_share:
            return ""
        return (
            f"The rules in force reach {reached:.1%} of the cases for searching, less than the"
            f" {self.objective.least_share:.1%} asked for: reaching more people costs lift."
        )

    def overlay(self) -> dict[str, Any]:
        """What differs from the definitions in force, as an overlay.toml would state it.

        Empty if nothing does. The search may have started from other rules than those in force.
        """
        known = {**self.in_force, **self.split.cases.definitions.personas}
        changed: dict[str, Any] = {}
        for threshold in thresholds(self.personas):
            value = threshold.value(self.personas)
            if value != getattr(known[threshold.persona].rule, threshold.field):
                number = int(value) if value.is_integer() else value
                rule = changed.setdefault(threshold.persona, {"rule": {}})["rule"]
                rule[threshold.field] = number
        return {"personas": changed} if changed else {}

    def evidence(self) -> dict[str, Any]:
        """What it rests on, as plain values for JSON."""
        cases = self.split.cases
        return {
            "outcome": cases.outcome,
            "sought": cases.sought,
            "horizon_days": cases.horizon_days,
            "objective": self.objective.facts(),
            "seed": self.seed,
            "split": {
                "test_share": self.split.test_share,
                "seed": self.split.seed,
                "train": _facts(self.split.train),
                "test": _facts(self.split.test),
            },
            "said": self.said,
            "is_clear": self.is_clear,
            **{
                name: _plain(getattr(self, name)) for name in ("thresholds", "figures", "baselines")
            },
            "config_version": cases.definitions.version,
            "lake_snapshot": cases.lake_snapshot,
            "packages": {name: version(name) for name in _PACKAGES},
        }


def _facts(part: pl.DataFrame) -> dict[str, Any]:
    instants: list[datetime] = part["as_of"].unique().sort().to_list()
    return {
        "cases": part.height,
        "people": part["user_id"].n_unique(),
        "with_outcome": int(part["outcome"].sum()),
        "instants": [at.isoformat() for at in instants],
    }


def _plain(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values; JSON has no NaN."""
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None)).to_dicts()
