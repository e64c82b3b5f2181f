"""The scoring relations: small cases, the golden pairs, and the formulas on random people."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from scoring_lake import memory_warehouse, put_events
from scoring_reference import Event, random_people, scores_of
from sql_cases import SqlCase, fill, found, sql_cases

from mi_core import scoring
from mi_core.definitions import load_definitions
from mi_core.warehouse import Warehouse

DEFINITIONS = load_definitions()
GOLDEN = json.loads((Path(__file__).parent / "golden" / "calculators.json").read_text())
TABLES = (
    *("scope_event", "scope_milestone", "signal_sum", "contact_sum", "habit"),
    *("feature", "company", "intent", "persona_score", "magnetism"),
    *("lake.user_event", "lake.user_milestone", "lake.score_run"),
    *("lake.user_intent_score", "lake.user_magnetism_index"),
    *("state.user_persona", "state.user_identity"),
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = memory_warehouse(tmp_path_factory.mktemp("lake"), DEFINITIONS)
    yield opened
    opened.close()


@pytest.mark.parametrize("case", [*sql_cases("scores"), *sql_cases("reports")], ids=str)
def test_case(warehouse: Warehouse, case: SqlCase) -> None:
    for table in TABLES:
        fill(warehouse, table, case.given.get(table, []))
    assert sorted(found(warehouse, case), key=str) == sorted(case.expect, key=str)


def test_golden_pairs_through_sql(tmp_path: Path) -> None:
    # The replaced system looked at all events, however old.
    rules = DEFINITIONS.intent.model_copy(update={"window_days": 100})
    definitions = DEFINITIONS.model_copy(update={"intent": rules})
    as_of = datetime.fromisoformat(GOLDEN["as_of"])
    pairs = GOLDEN["intent"] + GOLDEN["persona"]
    # Somebody without events before as_of has no score: an unknown event makes them known.
    known = Event("golden", as_of - timedelta(days=99))
    people = {UUID(int=number): [known, *golden_events(pair)] for number, pair in enumerate(pairs)}
    lake = memory_warehouse(tmp_path, definitions)
    for number, pair in enumerate(pairs):
        size = [str(UUID(int=number)), pair.get("company_size")]
        lake.sql("insert into state.user_identity values ($1, $2, '2026-01-01')", size)
    score_in_memory(lake, definitions, people, as_of)
    rows = lake.frame(
        "select *, floor(score + 0.5)::bigint as rounded"
        " from intent join persona_score using (user_id)"
        " where time_window = '100d' order by user_id"
    ).to_dicts()
    shown = [golden_shape(row, pair["expect"]) for row, pair in zip(rows, pairs, strict=True)]
    assert shown == [pair["expect"] for pair in pairs]
    lake.close()


def golden_events(pair: dict[str, Any]) -> list[Event]:
    return [
        Event(e["event_name"], datetime.fromisoformat(e["occurred_at"])) for e in pair["events"]
    ]


def golden_shape(row: dict[str, Any], expect: dict[str, Any]) -> dict[str, Any]:
    if "slug" in expect:
        return {"slug": row["persona"], "confidence": row["persona_confidence"]}
    return {
        "score": row["rounded"],
        "level": row["level"],
        "signals_count": row["signals_count"],
        "breakdown": {part: row[part] for part in expect["breakdown"]},
        "top_signals": row["top_signals"],
    }


@pytest.mark.parametrize("seed", range(6))
def test_population_has_the_scores_of_the_formulas(warehouse: Warehouse, seed: int) -> None:
    people, as_of = random_people(seed, size=40)
    fill(warehouse, "state.user_identity", [])
    score_in_memory(warehouse, DEFINITIONS, people, as_of)
    expected = {}
    for user_id, events in people.items():
        if any(event.occurred_at < as_of for event in events):
            expected[str(user_id)] = flat(scores_of(events, as_of, DEFINITIONS))
    assert read_scores(warehouse) == expected


def test_one_person_has_the_scores_that_the_population_gives_them(warehouse: Warehouse) -> None:
    people, as_of = random_people(7, size=30)
    fill(warehouse, "state.user_identity", [])
    score_in_memory(warehouse, DEFINITIONS, people, as_of)
    together = read_scores(warehouse)
    alone: dict[str, Any] = {}
    for user_id, events in people.items():
        score_in_memory(warehouse, DEFINITIONS, {user_id: events}, as_of)
        alone |= read_scores(warehouse)
    assert alone == together


def score_in_memory(
    warehouse: Warehouse, definitions: Any, people: dict[UUID, list[Event]], as_of: datetime
) -> None:
    """Score people by the relations, with milestones from all of their events."""
    moment = scoring.naive_utc(as_of)
    fill(warehouse, "scope_event", [])
    put_events(warehouse, people, into="scope_event")
    warehouse.stage("scope_milestone", "scores/milestone")
    scoring.stage_features(warehouse, definitions, moment)
    warehouse.stage("company", "scores/company", as_of=moment)
    scoring.stage_scores(warehouse, definitions, moment)


def read_scores(warehouse: Warehouse) -> dict[str, Any]:
    rows = warehouse.frame(
        "select user_id, i.* exclude (user_id), p.persona, p.persona_confidence, f.reactivations,"
        " f.active_days, f.active_weeks, f.social_returns as social, f.email_sends, f.email_clicks,"
        " m.engagement as engagement_part, m.* exclude (user_id, time_window, engagement)"
        " from intent as i join persona_score as p using (user_id)"
        " join feature as f using (user_id, time_window)"
        " join magnetism as m using (user_id, time_window)"
    ).to_dicts()
    scores: dict[str, Any] = {}
    for row in rows:
        scores.setdefault(row.pop("user_id"), {})[row.pop("time_window")] = row
    return scores


def flat(scores: Any) -> dict[str, Any]:
    """The reference's objects as the row that the relations give, by window."""
    rows = {}
    for window, magnet in scores.magnetism.items():
        intent, habits = scores.intent[window], scores.habits[window]
        rows[window] = {
            "score": intent.score,
            "level": intent.level,
            "signals_count": intent.signals_count,
            "engagement": intent.engagement,
            "purchase_intent": intent.purchase_intent,
            "recency": intent.recency,
            "frequency": intent.frequency,
            "top_signals": list(intent.top_signals),
            "persona": scores.persona.slug,
            "persona_confidence": scores.persona.confidence,
            "reactivations": habits.reactivations,
            "active_days": habits.active_days,
            "active_weeks": habits.active_weeks,
            "social": habits.social_returns,
            "email_sends": habits.email_sends,
            "email_clicks": habits.email_clicks,
            "magnetism_index": magnet.index,
            "band": magnet.band,
            "risk_level": magnet.risk_level,
            "intent": magnet.components.intent,
            "engagement_part": magnet.components.engagement,
            "reactivation": magnet.components.reactivation,
            "email_ctr": magnet.components.email_ctr,
            "social_returns": magnet.components.social_returns,
            "churn_risk": magnet.churn_risk,
            "recommendations": [each.code for each in magnet.recommendations],
        }
    return rows
