"""The personas' rules over whole frames, and their thresholds as things that can move.

What `personas.persona` and `scores/persona.sql` say of one person and of everybody, in arrays; a
test holds the three equal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from mi_core.definitions import Persona, PersonaRule
from mi_core.errors import UnknownName

Personas = Mapping[str, Persona]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

FIELDS: Mapping[str, tuple[str, bool]] = {
    "purchase_intent_above": ("purchase_intent", True),
    "purchase_intent_below": ("purchase_intent", False),
    "engagement_above": ("engagement", True),
    "frequency_above": ("frequency", True),
    "score_below": ("score", False),
    "company_size_above": ("company_size", True),
}
"""Field of a rule → the column that it looks at, and whether that must be above it."""


@dataclass(frozen=True, order=True)
class Threshold:
    """One number of one rule: `automation_pro.purchase_intent_above`."""

    persona: str
    field: str

    @property
    def name(self) -> str:
        return f"{self.persona}.{self.field}"

    @property
    def column(self) -> str:
        return FIELDS[self.field][0]

    @property
    def is_above(self) -> bool:
        """Whether the rule holds above it, rather than below."""
        return FIELDS[self.field][1]

    def value(self, personas: Personas) -> float:
        return float(getattr(personas[self.persona].rule, self.field))


def in_order(personas: Personas) -> list[Persona]:
    """Personas by position, as their rules are tried."""
    return sorted(personas.values(), key=lambda each: each.position)


def thresholds(personas: Personas) -> tuple[Threshold, ...]:
    """All that rules state in numbers, in the order in which rules are tried."""
    return tuple(
        Threshold(each.slug, field)
        for each in in_order(personas)
        for field in FIELDS
        if getattr(each.rule, field) is not None
    )


def find_threshold(personas: Personas, name: str) -> Threshold:
    """The threshold of that name, such as `automation_pro.engagement_above`.

    Raises
    ------
    UnknownName
        No rule states it.
    """
    named = {each.name: each for each in thresholds(personas)}
    if name not in named:
        raise UnknownName("threshold", name, named)
    return named[name]


def with_values(personas: Personas, values: Mapping[Threshold, float]) -> dict[str, Persona]:
    """Personas with other numbers in their rules."""
    moved: dict[str, dict[str, float]] = {}
    for threshold, value in values.items():
        moved.setdefault(threshold.persona, {})[threshold.field] = value
    return {
        slug: each.model_copy(update={"rule": each.rule.model_copy(update=moved.get(slug, {}))})
        for slug, each in personas.items()
    }


def assign(frame: pl.DataFrame, personas: Personas) -> pl.Series:
    """The persona of each row: the first, by position, whose rule holds; null where none does.

    Parameters
    ----------
    frame
        With the columns `score, engagement, purchase_intent, frequency, company_size` (null:
        unknown) and `top_signals`.
    """
    ordered = in_order(personas)
    slugs = pl.Series("persona", [each.slug for each in ordered], dtype=pl.String)
    first = first_holding([holds(frame, each.rule) for each in ordered])
    return slugs.gather(pl.Series(first).replace(-1, None))


def first_holding(held: Sequence[BoolArray] | BoolArray) -> IntArray:
    """Which of several rules is the first to hold, by row; -1 where none does."""
    first = np.full(len(held[0]), -1, dtype=np.int64)
    for place in range(len(held) - 1, -1, -1):
        first[held[place]] = place
    return first


def holds(frame: pl.DataFrame, rule: PersonaRule) -> BoolArray:
    """Whether all that the rule states holds, by row."""
    held = np.ones(frame.height, dtype=np.bool_)
    for field in FIELDS:
        if (limit := getattr(rule, field)) is not None:
            held &= passes(frame, field, limit)
    if rule.top_signal is not None:
        held &= has_top_signal(frame, rule.top_signal)
    return held


def passes(frame: pl.DataFrame, field: str, limit: float) -> BoolArray:
    """Whether one number of a rule is met, by row; an unknown company size is 0."""
    column, is_above = FIELDS[field]
    values = frame[column].fill_null(0).to_numpy()
    return np.asarray(values > limit if is_above else values < limit)


def has_top_signal(frame: pl.DataFrame, signal: str) -> BoolArray:
    """Whether a signal is among those with most points, by row."""
    return frame["top_signals"].list.contains(signal).fill_null(False).to_numpy()
