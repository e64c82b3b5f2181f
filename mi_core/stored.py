"""One person as the newest scoring has them: from what it stored, not from their events.

A scoring keeps each person's features and the cohorts; the formulas for one person take it from
there, so that nothing that fades from one moment to the next has to be stored for a look-up. It is
what `person.view_person` says as of that scoring while the person's events are those that the
scoring saw, a test holds; but later it stays what reports show, until the next scoring.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from mi_core.definitions import Definitions
from mi_core.intent import Intent, SignalSums, intent_of, intent_trend
from mi_core.magnetism import Habits, magnetism
from mi_core.person import (
    WINDOWS,
    IntentScore,
    Row,
    Scores,
    history_of,
    magnetism_views,
    persona_view,
    row_to_compare_with,
    rows_of,
)
from mi_core.personas import Assignment, persona
from mi_core.scoring import intent_window
from mi_core.state import State
from mi_core.warehouse import Warehouse

ANY_TIME = timedelta(days=36_500)

_SUMS = ("signals_count", "points_micro", "engagement_micro", "purchase_intent_micro")
_HABITS = (
    *("active_days", "active_weeks", "reactivations", "social_returns"),
    *("email_sends", "email_clicks", "trial_started", "purchase_made"),
)
"""Columns of user_feature that the formulas take as they are."""


@dataclass(frozen=True)
class Stored:
    """`scores`, or where they can't be had from what is stored, the instant to score as of."""

    scores: Scores | None
    as_of: datetime | None = None


def stored_scores(
    warehouse: Warehouse,
    state: State,
    definitions: Definitions,
    user_id: UUID,
) -> Stored:
    """The person's scores as the newest scoring stored them.

    There are none where it hasn't this person, such as before the first scoring, or was made by
    other definitions; nor where a snapshot of the person alone is newer, whose instant `as_of` is.
    """
    with warehouse.reading():
        rows = rows_of(warehouse, "scores/person_row", user_id=user_id)
        cohorts = rows[0]["cohorts"] if rows else None
        if not cohorts or cohorts[0]["config_version"] != definitions.version:
            return Stored(None)
        found = _scored(state, definitions, user_id, rows, cohorts)
        ids = [user_id, *map(UUID, rows[0]["former_ids"])]
        until = found.moment + ANY_TIME
        history = history_of(warehouse, user_id, ids, found.moment, [found.point], until=until)
    if history[-1]["as_of"] > found.moment:
        return Stored(None, history[-1]["as_of"].replace(tzinfo=UTC))
    return Stored(_scores(state, definitions, found, history))


@dataclass(frozen=True, slots=True)
class _Scored:
    """What the formulas make of a person's features; `point` is a row of score_history."""

    moment: datetime
    lake_snapshot: int
    intent: Intent
    persona: Assignment
    magnetism: Sequence[Row]
    point: Row


def _scored(
    state: State,
    definitions: Definitions,
    user_id: UUID,
    rows: Sequence[Row],
    cohorts: Sequence[Row],
) -> _Scored:
    moment = cohorts[0]["as_of"]
    as_of = moment.replace(tzinfo=UTC)
    of_window = {row["time_window"]: row for row in rows}
    intents = {
        window: intent_of(_sums(row), as_of, definitions.intent)
        for window, row in of_window.items()
    }
    own = intents[intent_window(definitions)]
    company = state.company_of(str(user_id), as_of) or {}
    behavior = persona(own, company.get("company_size"), definitions.personas.values())
    own_cohorts = {
        each["time_window"]: each for each in cohorts if each["persona"] == behavior.slug
    }
    windows = [
        _magnetism(definitions, of_window[window], intents[window], own_cohorts.get(window))
        for window in WINDOWS
    ]
    point = {"user_id": user_id, "as_of": moment, "intent_score": own.score, "level": own.level}
    point |= {"persona": behavior.slug}
    point |= {f"magnetism_{each['time_window']}": each["magnetism_index"] for each in windows}
    snapshot = cohorts[0]["lake_snapshot"]
    return _Scored(moment, snapshot, own, behavior, windows, point)


def _sums(row: Row) -> SignalSums:
    last = row["last_signal_at"]
    return SignalSums(
        **{name: row[name] for name in _SUMS},
        last_signal_at=last.replace(tzinfo=UTC) if last else None,
        top_signals=tuple(row["top_signals"]),
    )


def _magnetism(definitions: Definitions, row: Row, intent: Intent, cohort: Row | None) -> Row:
    """The person's row of a window, as `magnetism_views` takes it."""
    window = row["time_window"]
    habits = Habits(intent_score=intent.score, **{name: row[name] for name in _HABITS})
    found = magnetism(habits, definitions.magnetism, window_days=int(window[:-1]))
    return {
        "time_window": window,
        "magnetism_index": found.index,
        "band": found.band,
        "risk_level": found.risk_level,
        **asdict(found.components),
        "churn_risk": found.churn_risk,
        "recommendations": [each.code for each in found.recommendations],
        **_standing(cohort, found.index),
    }


def _standing(cohort: Row | None, index: float) -> Row:
    """What `magnetism.standing` needs to know of the cohort; of the people up to an index, so many
    as have the same percentile.
    """
    if cohort is None:
        return {"cohort_people": 0, "cohort_at_or_below": 0, "cohort_average": 0.0}
    place = bisect_right(cohort["indexes"], index)
    return {
        "cohort_people": cohort["people"],
        "cohort_at_or_below": cohort["people_up_to"][place - 1] if place else 0,
        "cohort_average": cohort["average"],
    }


def _scores(
    state: State, definitions: Definitions, found: _Scored, history: Sequence[Row]
) -> Scores:
    as_of = found.moment.replace(tzinfo=UTC)
    user_id = str(found.point["user_id"])
    before = row_to_compare_with(history, found.moment)
    intent, rules = found.intent, definitions.intent
    trend = intent_trend(intent.score, before["intent_score"], rules) if before else None
    assigned = state.persona_of(user_id, as_of)
    slug, confidence = found.persona.slug, found.persona.confidence
    return Scores(
        user_id=user_id,
        as_of=as_of,
        config_version=definitions.version,
        lake_snapshot=found.lake_snapshot,
        intent=IntentScore(**asdict(intent), trend=trend),
        persona=persona_view(definitions, slug, confidence, assigned),
        magnetism=magnetism_views(definitions.magnetism, found.moment, found.magnetism, history),
        history=tuple(history),
    )
