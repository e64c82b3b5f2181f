"""One person: scores live from their events, why they are so, and what to do.

The relations are those that score everybody, over this person's events alone, so that both always
agree; what only a look at one person needs, such as points by signal, comes on top.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from mi_core import scoring
from mi_core.definitions import Definitions, MagnetismRules
from mi_core.errors import UnknownPerson
from mi_core.intent import Trend, band, intent_trend
from mi_core.magnetism import (
    RECOMMENDATIONS,
    CohortComparison,
    Forecast,
    Momentum,
    Recommendation,
    compare_with_cohort,
    forecast,
    magnetism_trend,
    standing,
)
from mi_core.state import State
from mi_core.warehouse import Warehouse

TREND_OVER = timedelta(days=7)
"""A trend compares with the newest snapshot at least so much older."""

FORECAST_DAYS = 7
HISTORY_DAYS = 90
BEHAVIOR = "behavior_analysis"
COMPONENTS = ("intent", "engagement", "reactivation", "email_ctr", "social_returns")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class IntentView:
    """The intent score; `signals` says by which signals: times, points, last seen."""

    score: float
    level: str
    signals_count: int
    engagement: int
    purchase_intent: int
    recency: int
    frequency: int
    top_signals: tuple[str, ...]
    signals: tuple[Row, ...]
    trend: Trend | None


@dataclass(frozen=True)
class PersonaView:
    """The persona in force; `behavior` is what behaviour alone speaks for."""

    slug: str
    label: str
    confidence: float
    source: str
    behavior: str


@dataclass(frozen=True)
class MagnetismView:
    """The magnetism index over one window; components are points of 100."""

    index: float
    band: str
    risk_level: str
    components: Row
    churn_risk: int
    recommendations: tuple[Recommendation, ...]
    trend: Momentum | None
    forecast: Forecast
    cohort: CohortComparison


@dataclass(frozen=True)
class Person:
    """What is known of one person as of an instant, times in UTC."""

    user_id: str
    as_of: datetime
    config_version: str
    lake_snapshot: int
    milestones: Row
    intent: IntentView
    persona: PersonaView
    magnetism: Mapping[str, MagnetismView]
    history: tuple[Row, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def find_person(warehouse: Warehouse, hashes: Sequence[UUID], written: str = "") -> UUID | None:
    """The person whom an id belongs to, by its hash under each key; None for a stranger.

    `written` is the id itself: it may be a `user_id`, which is the hash of one of the person's ids.
    """
    row = warehouse.query("scores/whose", hashes=list(hashes), written=written).fetchone()
    return row[0] if row else None


def view_person(
    warehouse: Warehouse,
    state: State,
    definitions: Definitions,
    user_id: UUID,
    *,
    as_of: datetime,
) -> Person:
    """Score one person from their events before `as_of` (exclusive; with a time zone).

    Raises
    ------
    UnknownPerson
        The person has no event before `as_of`.
    """
    moment = scoring.naive_utc(as_of)
    with warehouse.reading() as snapshot:
        company = state.company_of(str(user_id), as_of)
        milestones = stage_person(warehouse, definitions, user_id, moment, company)
        history = rows_of(
            warehouse, "scores/score_history", user_id=user_id, as_of=moment, days=HISTORY_DAYS
        )
        before = _before(history, moment)
        persona = persona_view(warehouse, definitions, state.persona_of(str(user_id), as_of))
        return Person(
            user_id=str(user_id),
            as_of=as_of,
            config_version=definitions.version,
            lake_snapshot=snapshot,
            milestones=milestones,
            intent=_intent(warehouse, definitions, moment, before),
            persona=persona,
            magnetism=_magnetism(warehouse, definitions, moment, history, before),
            history=tuple(history),
        )


def rows_of(warehouse: Warehouse, relation: str, **params: object) -> list[Row]:
    """The rows of a relation, by column."""
    return _dicts(warehouse.query(relation, **params))


def _dicts(result: Any) -> list[Row]:
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def stage_person(
    warehouse: Warehouse,
    definitions: Definitions,
    user_id: UUID,
    moment: datetime,
    company: Row | None,
) -> Row:
    """Stage this person's scores as those of a population of one; returns their milestones."""
    who: Row = {"user_id": str(user_id)}
    known = [{**who, **company}] if company else []
    warehouse.load_rows("scope_person", [who], {"user_id": "uuid"})
    warehouse.load_rows("company", known, {"user_id": "uuid", "company_size": "bigint"})
    scoring.stage_people(warehouse, definitions, moment)
    found = _dicts(warehouse.sql("from scope_milestone"))
    if not found or found[0]["first_event_at"] >= moment:
        raise UnknownPerson(f"This person has no event before {moment:%Y-%m-%d %H:%M} UTC.")
    scoring.stage_features(warehouse, definitions, moment)
    scoring.stage_scores(warehouse, definitions, moment)
    return {
        name: at if at is None or name == "last_event_at" or at < moment else None
        for name, at in found[0].items()
        if name != "user_id"
    }


def intent_at(
    warehouse: Warehouse, definitions: Definitions, moment: datetime
) -> tuple[float, str]:
    """Intent score and level as of `moment` of the person whose events are in `scope_event`.

    `stage_person` put those there that a score as of its own `as_of` reads; for an earlier moment,
    put older ones there too.
    """
    rules = definitions.intent
    scoring.stage_features(warehouse, definitions, moment)
    scores = {
        row["time_window"]: (row["score"], row["level"])
        for row in rows_of(warehouse, "scores/intent", as_of=moment, rules=rules.model_dump())
    }
    # Nobody has features before their first event.
    nothing_yet = (0.0, band(0.0, rules.level_cuts, "very_high"))
    return scores.get(scoring.intent_window(definitions), nothing_yet)


def _before(history: Sequence[Row], moment: datetime) -> Row | None:
    """The newest snapshot that is old enough to compare with."""
    old_enough = [row for row in history if row["as_of"] <= moment - TREND_OVER]
    return old_enough[-1] if old_enough else None


def _intent(
    warehouse: Warehouse, definitions: Definitions, moment: datetime, before: Row | None
) -> IntentView:
    window = scoring.intent_window(definitions)
    [row] = _dicts(warehouse.sql("from intent where time_window = $window", {"window": window}))
    signals = rows_of(
        warehouse, "scores/signal_reason", as_of=moment, days=definitions.intent.window_days
    )
    rules = definitions.intent
    trend = intent_trend(row["score"], before["intent_score"], rules) if before else None
    facts = {name: value for name, value in row.items() if name not in ("user_id", "time_window")}
    return IntentView(**facts, signals=tuple(signals), trend=trend)


def persona_view(
    warehouse: Warehouse, definitions: Definitions, assigned: Row | None
) -> PersonaView:
    """What stands assigned, unless that is an older word of behaviour than the one just had."""
    [live] = _dicts(warehouse.sql("from persona_score"))
    in_force = {
        "slug": live["persona"],
        "confidence": live["persona_confidence"],
        "source": BEHAVIOR,
    }
    if assigned and assigned["source"] != BEHAVIOR:
        in_force = dict(assigned)
    label = definitions.personas[in_force["slug"]].label
    return PersonaView(label=label, behavior=live["persona"], **in_force)


def _magnetism(
    warehouse: Warehouse,
    definitions: Definitions,
    moment: datetime,
    history: Sequence[Row],
    before: Row | None,
) -> dict[str, MagnetismView]:
    rules = definitions.magnetism
    rows = _dicts(warehouse.sql("from magnetism order by time_window desc"))
    cohorts = _cohorts(warehouse, rows, history)
    views = {}
    for row in rows:
        window, index = row["time_window"], row["magnetism_index"]
        past = [(each["as_of"], each[f"magnetism_{window}"]) for each in history]
        views[window] = MagnetismView(
            index=index,
            band=row["band"],
            risk_level=row["risk_level"],
            components={name: row[name] for name in COMPONENTS},
            churn_risk=row["churn_risk"],
            recommendations=tuple(RECOMMENDATIONS[code] for code in row["recommendations"]),
            trend=magnetism_trend(index, before[f"magnetism_{window}"], rules) if before else None,
            forecast=_forecast([*past, (moment, index)], rules),
            cohort=cohorts[window],
        )
    return views


def _cohorts(
    warehouse: Warehouse, rows: Sequence[Row], history: Sequence[Row]
) -> dict[str, CohortComparison]:
    """Where the person stands, in each window, among those of their persona when last scored."""
    scores = {row["time_window"]: row["magnetism_index"] for row in rows}
    comparisons = {window: compare_with_cohort(score, []) for window, score in scores.items()}
    if history:
        newest = {"snapshot_as_of": history[-1]["as_of"], "persona": history[-1]["persona"]}
        for window, *figures in warehouse.query("scores/cohort", **newest).fetchall():
            people, at_or_below, average = figures
            comparisons[window] = standing(
                scores[window], people=people, at_or_below=at_or_below, average=average
            )
    return comparisons


def _forecast(past: Sequence[tuple[datetime, float]], rules: MagnetismRules) -> Forecast:
    """A week ahead along the line through the snapshots, whatever the time between these."""
    points = dict(past)
    span = (max(points) - min(points)) / timedelta(days=1)
    spacing = span / (len(points) - 1) if len(points) > 1 else 1
    return forecast(list(points.values()), rules, days_ahead=FORECAST_DAYS / spacing)
