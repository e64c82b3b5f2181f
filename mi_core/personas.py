"""Which persona a person's behaviour speaks for: the first rule that holds decides."""

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mi_core.intent import Intent

if TYPE_CHECKING:
    from mi_core.definitions import Persona, PersonaRule


@dataclass(frozen=True, slots=True)
class Assignment:
    """A persona for a person, with confidence in 0-1 and its source."""

    slug: str
    confidence: float
    source: str = "behavior_analysis"


def persona(intent: Intent, company_size: int | None, personas: Iterable["Persona"]) -> Assignment:
    """The first persona, by position, whose rule holds on the rounded score and breakdown."""
    ordered = sorted(personas, key=lambda each: each.position)
    found = next(each for each in ordered if _holds(each.rule, intent, company_size))
    return Assignment(found.slug, found.confidence)


def _holds(rule: "PersonaRule", intent: Intent, company_size: int | None) -> bool:
    """Whether all that the rule states holds; an unknown company size holds for nothing."""
    stated = (
        (rule.purchase_intent_above, intent.purchase_intent, operator.gt),
        (rule.purchase_intent_below, intent.purchase_intent, operator.lt),
        (rule.engagement_above, intent.engagement, operator.gt),
        (rule.frequency_above, intent.frequency, operator.gt),
        (rule.score_below, intent.rounded, operator.lt),
        (rule.company_size_above, company_size or 0, operator.gt),
    )
    return (rule.top_signal is None or rule.top_signal in intent.top_signals) and all(
        compare(value, limit) for limit, value, compare in stated if limit is not None
    )
