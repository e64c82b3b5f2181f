"""One person as the newest scoring has them: what is stored, in place of a look at their events.

It is what `person.view_person` says as of that scoring while the person's events are those that the
scoring saw, a test holds; but later it stays what reports show, until the next scoring.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from mi_core.definitions import Definitions
from mi_core.intent import intent_trend
from mi_core.person import (
    WINDOWS,
    IntentScore,
    Row,
    Scores,
    history_of,
    magnetism_views,
    newest_of,
    persona_view,
    row_to_compare_with,
)
from mi_core.state import State
from mi_core.warehouse import Warehouse

INTENT = (
    *("score", "level", "signals_count", "engagement", "purchase_intent"),
    *("recency", "frequency", "top_signals"),
)
"""The columns of mv_person that an intent score has."""

WINDOW = (
    *("magnetism_index", "band", "risk_level", "intent", "engagement", "reactivation"),
    *("email_ctr", "social_returns", "churn_risk", "recommendations"),
    *("cohort_people", "cohort_at_or_below", "cohort_average"),
)
"""Those of each magnetism window, with its name behind."""

ANY_TIME = timedelta(days=36_500)


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
        row = newest_of(warehouse, user_id)
        if row is None or row["config_version"] != definitions.version:
            return Stored(None)
        moment = row["as_of"]
        ids = [user_id, *map(UUID, row["former_ids"])]
        history = history_of(warehouse, user_id, row, ids, moment, until=moment + ANY_TIME)
    if history[-1]["as_of"] > moment:
        return Stored(None, history[-1]["as_of"].replace(tzinfo=UTC))
    return Stored(_scores(state, definitions, user_id, row, history))


def _scores(
    state: State, definitions: Definitions, user_id: UUID, row: Row, history: Sequence[Row]
) -> Scores:
    moment = row["as_of"]
    as_of = moment.replace(tzinfo=UTC)
    before = row_to_compare_with(history, moment)
    rules = definitions.intent
    trend = intent_trend(row["score"], before["intent_score"], rules) if before else None
    windows = [
        {"time_window": window} | {name: row[f"{name}_{window}"] for name in WINDOW}
        for window in WINDOWS
    ]
    assigned = state.persona_of(str(user_id), as_of)
    return Scores(
        user_id=str(user_id),
        as_of=as_of,
        config_version=row["config_version"],
        lake_snapshot=row["lake_snapshot"],
        intent=IntentScore(**{name: row[name] for name in INTENT}, trend=trend),
        persona=persona_view(definitions, row["persona"], row["persona_confidence"], assigned),
        magnetism=magnetism_views(definitions.magnetism, moment, windows, history),
        history=tuple(history),
    )
