"""What thresholds are searched for: a figure that a person chooses, from counts alone.

An objective reads a table `[…, personas, kinds]`: how many cases each persona has of each kind. Of
outcomes the kinds are "didn't" and "did"; of labels they are the personas.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from mi_core.definitions import Persona
from mi_core.errors import BadValue
from mi_core.tuning.figures import kappa_of

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LEAST_OF_A_KIND = 10
"""With fewer outcomes (or labels) in a part, an objective is noise."""


class Objective(ABC):
    """A figure of how well personas do; more is better."""

    name: ClassVar[str]

    @abstractmethod
    def rows(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The cases that the objective is about.

        Raises
        ------
        BadValue
            There are too few of them.
        """

    @abstractmethod
    def kinds(self, rows: pl.DataFrame, personas: Sequence[Persona]) -> tuple[IntArray, int]:
        """The kind of each case, and how many kinds there are."""

    @abstractmethod
    def value(self, tables: FloatArray, personas: Sequence[Persona]) -> FloatArray:
        """The figure of each table; NaN where it is undefined."""

    def rank(self, tables: FloatArray, personas: Sequence[Persona]) -> FloatArray:
        """What a search climbs: the figure, below all figures where a table isn't allowed."""
        return np.nan_to_num(self.value(tables, personas), nan=-np.inf)

    def facts(self) -> dict[str, float | str]:
        """What a person chose, as plain values."""
        return {"name": self.name} | dict(vars(self))


class _OfOutcomes(Objective):
    """An objective about who takes a step: those of high intent are reached, the others not.

    The step is what is sought, as `Split.parts` gives it: of churn, staying active.
    """

    def rows(self, frame: pl.DataFrame) -> pl.DataFrame:
        rows = frame.filter(pl.col("outcome").is_not_null())
        did = int(rows["outcome"].sum())
        if min(did, rows.height - did) < LEAST_OF_A_KIND:
            raise BadValue(
                f"Of {rows.height} cases {did} have the outcome; {LEAST_OF_A_KIND} with it and as"
                " many without are needed, both for searching and for testing."
            )
        return rows

    def kinds(self, rows: pl.DataFrame, personas: Sequence[Persona]) -> tuple[IntArray, int]:
        reached(personas)
        return rows["outcome"].to_numpy().astype(np.int64), 2


def reached(personas: Sequence[Persona]) -> IntArray:
    """Which of the personas are of high intent level, by their place.

    Raises
    ------
    BadValue
        None is.
    """
    found = [place for place, each in enumerate(personas) if each.intent_level == "high"]
    if not found:
        raise BadValue('No persona is of intent_level "high", so that nobody would be reached.')
    return np.array(found)


def reach(tables: FloatArray, personas: Sequence[Persona]) -> FloatArray:
    """The share of cases whose persona is of high intent level."""
    chosen = tables[..., reached(personas), :].sum(axis=(-1, -2))
    return _ratio(chosen, tables.sum(axis=(-1, -2)))


@dataclass(frozen=True)
class Lift(_OfOutcomes):
    """How many times as often the outcome is among personas of high intent level as among all.

    Parameters
    ----------
    least_share
        At least so many of the cases must be of these personas: the lift of a handful says little.
    """

    name: ClassVar[str] = "lift"
    least_share: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.least_share <= 1:
            raise BadValue(f"least_share lies above 0 and up to 1, not at {self.least_share}.")

    def value(self, tables: FloatArray, personas: Sequence[Persona]) -> FloatArray:
        chosen = tables[..., reached(personas), :].sum(axis=-2)
        everybody = tables.sum(axis=-2)
        rate, base = (_ratio(each[..., 1], each.sum(axis=-1)) for each in (chosen, everybody))
        return _ratio(rate, base)

    def rank(self, tables: FloatArray, personas: Sequence[Persona]) -> FloatArray:
        share = reach(tables, personas)
        # A lift is never below 0; on the way to enough people, more of them rank higher.
        return np.where(share >= self.least_share, super().rank(tables, personas), share - 1)


@dataclass(frozen=True)
class Value(_OfOutcomes):
    """What it brings to contact everybody of high intent level, per case, in the currency's unit.

    An outcome of those contacted counts in full, as if the contact had brought it about: so this
    compares whom to contact, and is no forecast of what that earns.

    Parameters
    ----------
    per_outcome, per_contact
        What an outcome is worth, and what a contact costs.
    """

    name: ClassVar[str] = "value"
    per_outcome: float
    per_contact: float

    def __post_init__(self) -> None:
        for name in ("per_outcome", "per_contact"):
            if not getattr(self, name) > 0:
                raise BadValue(f"{name} is an amount above 0, not {getattr(self, name)}.")

    def value(self, tables: FloatArray, personas: Sequence[Persona]) -> FloatArray:
        chosen = tables[..., reached(personas), :].sum(axis=-2)
        gain = self.per_outcome * chosen[..., 1] - self.per_contact * chosen.sum(axis=-1)
        return _ratio(gain, tables.sum(axis=(-1, -2)))


@dataclass(frozen=True)
class Agreement(Objective):
    """Cohen's kappa between personas by rules and labels that a person or a model gave.

    0 is what chance alone would give, 1 is agreement on everybody (Cohen 1960, Educational and
    Psychological Measurement 20:37–46).

    Parameters
    ----------
    source
        `manual` or `ai_enrichment` alone; None: both.
    """

    name: ClassVar[str] = "agreement"
    source: str | None = None

    def __post_init__(self) -> None:
        if self.source not in (None, "manual", "ai_enrichment"):
            raise BadValue(f"source is None, 'manual' or 'ai_enrichment', not {self.source!r}.")

    def rows(self, frame: pl.DataFrame) -> pl.DataFrame:
        is_meant = pl.lit(True) if self.source is None else pl.col("label_source") == self.source
        rows = frame.filter(pl.col("label").is_not_null() & is_meant)
        people = rows["user_id"].n_unique()
        if people < LEAST_OF_A_KIND:
            raise BadValue(
                f"{people} people have a label; {LEAST_OF_A_KIND} are needed, both for searching"
                " and for testing."
            )
        return rows

    def kinds(self, rows: pl.DataFrame, personas: Sequence[Persona]) -> tuple[IntArray, int]:
        places = {each.slug: place for place, each in enumerate(personas)}
        found = rows["label"].replace_strict(places, default=len(places), return_dtype=pl.Int64)
        # A label of a persona that is no more agrees with none.
        return found.to_numpy(), len(places) + 1

    def value(self, tables: FloatArray, personas: Sequence[Persona]) -> FloatArray:
        return kappa_of(tables)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    found: FloatArray = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=found, where=whole > 0)
    return found
