"""Every pair that the replaced system computed comes out equal, digit for digit."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from scoring_reference import signals_of

from mi_core import intent as intents
from mi_core import magnetism as magnets
from mi_core.definitions import load_definitions
from mi_core.personas import persona

GOLDEN = json.loads((Path(__file__).parent / "golden" / "calculators.json").read_text())
AS_OF = datetime.fromisoformat(GOLDEN["as_of"])
DEFINITIONS = load_definitions()
# The replaced system looked at all events, however old.
ALL_TIME = DEFINITIONS.intent.model_copy(update={"window_days": 100})

Pair = dict[str, Any]


def pairs(calculator: str) -> Any:
    found = GOLDEN[calculator]
    return pytest.mark.parametrize("pair", found, ids=map(str, range(len(found))))


def intent_of(pair: Pair) -> intents.Intent:
    rows = [
        (e["event_name"], datetime.fromisoformat(e["occurred_at"]), None) for e in pair["events"]
    ]
    return intents.intent(signals_of(rows, DEFINITIONS), AS_OF, ALL_TIME)


@pairs("intent")
def test_intent(pair: Pair) -> None:
    found = intent_of(pair)
    assert {
        "score": found.rounded,
        "level": found.level,
        "signals_count": found.signals_count,
        "breakdown": {part: getattr(found, part) for part in pair["expect"]["breakdown"]},
        "top_signals": list(found.top_signals),
    } == pair["expect"]


@pairs("persona")
def test_persona(pair: Pair) -> None:
    found = persona(intent_of(pair), pair["company_size"], DEFINITIONS.personas.values())
    assert {"slug": found.slug, "confidence": found.confidence} == pair["expect"]


@pairs("magnetism")
def test_magnetism(pair: Pair) -> None:
    given = pair["inputs"]
    habits = magnets.Habits(
        intent_score=given["intent_score"],
        active_days=given["engagement_days_7d"],
        active_weeks=given["engagement_weeks_4w"],
        reactivations=given["reactivation_count_30d"],
        social_returns=given["social_returns_30d"],
        email_sends=given["email_sends_30d"],
        email_clicks=given["email_clicks_30d"],
        trial_started=given["trial_started"],
        purchase_made=given["purchase_completed"],
    )
    found = magnets.magnetism(habits, DEFINITIONS.magnetism)
    assert {
        "index": found.rounded,
        "band": found.band,
        "risk_level": found.risk_level,
        "components": {
            part: getattr(found.components, part) for part in pair["expect"]["components"]
        },
        "churn_risk": found.churn_risk,
        "recommendation_count": len(found.recommendations),
    } == pair["expect"]


@pairs("intent_trend")
def test_intent_trend(pair: Pair) -> None:
    found = intents.intent_trend(pair["current"], pair["previous"], DEFINITIONS.intent)
    assert {
        "trend": found.direction,
        "change": found.change,
        "percentage_change": found.percentage_change,
    } == pair["expect"]


@pairs("magnetism_trend")
def test_magnetism_trend(pair: Pair) -> None:
    found = magnets.magnetism_trend(pair["current"], pair["previous"], DEFINITIONS.magnetism)
    assert {
        "direction": found.trend.direction,
        "change": found.trend.change,
        "percentage_change": found.trend.percentage_change,
        "velocity": found.velocity,
    } == pair["expect"]


@pairs("magnetism_forecast")
def test_magnetism_forecast(pair: Pair) -> None:
    history = [day["score"] for day in pair["history"]]
    found = magnets.forecast(history, DEFINITIONS.magnetism, days_ahead=pair["days_ahead"])
    assert {
        "predicted_score": found.predicted_score,
        "confidence": found.confidence,
        "trend": found.trend,
    } == pair["expect"]


@pairs("cohort_comparison")
def test_cohort_comparison(pair: Pair) -> None:
    found = magnets.compare_with_cohort(pair["user"], pair["cohort"])
    assert {
        "percentile": found.percentile,
        "above_average": found.above_average,
        "cohort_average": found.cohort_average,
        "difference": found.difference,
    } == pair["expect"]
