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
from mi_core.intent import Trend, intent_trend
from mi_core.magnetism import (
    RECOMMENDATIONS,
    CohortComparison,
    Forecast,
    Momentum,
    Recommendation,
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
WINDOWS = ("7d", "30d")
COMPONENTS = ("intent", "engagement", "reactivation", "email_ctr", "social_returns")

Row = Mapping[str, Any]


@dataclass(frozen=True, repr=False)
class IntentScore:
    """The intent score and its breakdown, in points."""

    score: float
    level: str
    signals_count: int
    engagement: int
    purchase_intent: int
    recency: int
    frequency: int
    top_signals: tuple[str, ...]
    trend: Trend | None

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.score:.0f} ({self.level}): {self.signals_count} signals,"
            f" engagement {self.engagement}, purchase intent {self.purchase_intent}, recency"
            f" {self.recency}, frequency {self.frequency}. See .top_signals, .trend>"
        )


@dataclass(frozen=True, repr=False)
class IntentView(IntentScore):
    """The intent score; `signals` says by which signals: times, points, last seen."""

    signals: tuple[Row, ...]


@dataclass(frozen=True)
class PersonaView:
    """The persona in force; `behavior` is what behaviour alone speaks for."""

    slug: str
    label: str
    confidence: float
    source: str
    behavior: str


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        parts = ", ".join(f"{name} {points}" for name, points in self.components.items())
        return (
            f"<MagnetismView {self.index:.0f} ({self.band}): {parts}; churn risk {self.churn_risk}."
            " See .recommendations, .trend, .forecast, .cohort>"
        )


@dataclass(frozen=True, repr=False)
class Scores:
    """One person's scores as of an instant, times in UTC.

    `history` has a row for each day with a scoring, of its last one, the oldest first: `as_of`,
    `intent_score`, `level`, `persona`, `magnetism_7d`, `magnetism_30d`.
    """

    user_id: str
    as_of: datetime
    config_version: str
    lake_snapshot: int
    intent: IntentScore
    persona: PersonaView
    magnetism: Mapping[str, MagnetismView]
    history: tuple[Row, ...]

    def __repr__(self) -> str:
        drawn = self.magnetism["30d"]
        return (
            f"<{type(self).__name__} {self.user_id} as of {self.as_of:%Y-%m-%d}:"
            f" intent {self.intent.score:.0f} ({self.intent.level}), {self.persona.label},"
            f" magnetism {drawn.index:.0f} ({drawn.band}), churn risk {drawn.churn_risk}."
            " See .intent, .persona, .magnetism, .history>"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True, repr=False)
class Person(Scores):
    """What is known of one person as of an instant: the scores, and what only the events say."""

    intent: IntentView
    milestones: Row


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
        ids = _ids_of(warehouse, user_id)
        history = history_of(warehouse, user_id, ids, moment, newest_of(warehouse, ids))
        before = row_to_compare_with(history, moment)
        [live] = _dicts(warehouse.sql("from persona_score"))
        persona = persona_view(
            definitions,
            live["persona"],
            live["persona_confidence"],
            state.persona_of(str(user_id), as_of),
        )
        return Person(
            user_id=str(user_id),
            as_of=as_of,
            config_version=definitions.version,
            lake_snapshot=snapshot,
            milestones=milestones,
            intent=_intent(warehouse, definitions, moment, before),
            persona=persona,
            magnetism=_magnetism(warehouse, definitions, moment, history),
            history=tuple(history),
        )


def _ids_of(warehouse: Warehouse, user_id: UUID) -> list[UUID]:
    """The hashes of all of a person's ids."""
    rows = warehouse.query("scores/ids", user_id=user_id).fetchall()
    return list({user_id, *(each for (each,) in rows)})


def newest_of(warehouse: Warehouse, ids: Sequence[UUID]) -> list[Row]:
    """What the newest scoring says of who has these ids, as rows of score_history."""
    row = warehouse.sql("select max(as_of) from lake.score_run").fetchone()
    if row is None or row[0] is None:
        return []
    return rows_of(warehouse, "scores/newest_score", user_ids=ids, as_of=row[0])


def history_of(
    warehouse: Warehouse,
    user_id: UUID,
    ids: Sequence[UUID],
    moment: datetime,
    newest: Sequence[Row],
    until: datetime | None = None,
) -> list[Row]:
    """A person's scores of the `HISTORY_DAYS` up to `moment`, inclusive, as in `Scores.history`.

    Before they were identified, a person was scored under another of their `ids`; of several in
    one scoring, their own counts, else the highest. `newest` is what the newest scoring says of
    them, as rows of score_history. The history goes on up to `until`, where that is given.
    """
    since, until = moment - timedelta(days=HISTORY_DAYS), until or moment
    points = rows_of(warehouse, "scores/score_history", user_ids=ids, since=since)
    points = [row for row in (*points, *newest) if since < row["as_of"] <= until]
    points.sort(key=lambda row: (row["user_id"] != user_id, -row["intent_score"], row["user_id"]))
    by_instant: dict[datetime, Row] = {}
    for point in points:
        by_instant.setdefault(point["as_of"], point)
    return [
        {name: value for name, value in by_instant[at].items() if name != "user_id"}
        for at in sorted(by_instant)
    ]


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


def row_to_compare_with(history: Sequence[Row], moment: datetime) -> Row | None:
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
    facts["top_signals"] = tuple(facts["top_signals"])
    return IntentView(**facts, signals=tuple(signals), trend=trend)


def persona_view(
    definitions: Definitions, behavior: str, confidence: float, assigned: Row | None
) -> PersonaView:
    """What stands assigned, unless that is an older word of behaviour than the one just had."""
    in_force = {"slug": behavior, "confidence": confidence, "source": BEHAVIOR}
    if assigned and assigned["source"] != BEHAVIOR:
        in_force = dict(assigned)
    label = definitions.personas[str(in_force["slug"])].label
    return PersonaView(label=label, behavior=behavior, **in_force)  # type: ignore[arg-type]


def _magnetism(
    warehouse: Warehouse, definitions: Definitions, moment: datetime, history: Sequence[Row]
) -> dict[str, MagnetismView]:
    rows = _dicts(warehouse.sql("from magnetism order by time_window desc"))
    cohorts = _cohorts(warehouse, moment, history)
    nobody = {"cohort_people": 0, "cohort_at_or_below": 0, "cohort_average": 0.0}
    placed = [{**row, **cohorts.get(row["time_window"], nobody)} for row in rows]
    return magnetism_views(definitions.magnetism, moment, placed, history)


def magnetism_views(
    rules: MagnetismRules, moment: datetime, rows: Sequence[Row], history: Sequence[Row]
) -> dict[str, MagnetismView]:
    """By window, from `rows` of `magnetism`, with what `standing` takes as cohort_…."""
    before = row_to_compare_with(history, moment)
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
            cohort=standing(
                index,
                people=row["cohort_people"],
                at_or_below=row["cohort_at_or_below"],
                average=row["cohort_average"],
            ),
        )
    return views


def _cohorts(warehouse: Warehouse, moment: datetime, history: Sequence[Row]) -> dict[str, Row]:
    """Those of the person's persona when last scored, by window, as cohort.sql has them."""
    if not history:
        return {}
    [(scored_at,)] = warehouse.sql(
        "select max(as_of) from lake.score_run where as_of <= $moment", {"moment": moment}
    ).fetchall()
    then = next((row for row in history if row["as_of"] == scored_at), history[-1])
    cohort = {"snapshot_as_of": scored_at, "persona": then["persona"]}
    rows = rows_of(warehouse, "scores/cohort", **cohort)
    return {row["time_window"]: row for row in rows}


def _forecast(past: Sequence[tuple[datetime, float]], rules: MagnetismRules) -> Forecast:
    """A week ahead along the line through the snapshots, whatever the time between these."""
    points = dict(past)
    span = (max(points) - min(points)) / timedelta(days=1)
    spacing = span / (len(points) - 1) if len(points) > 1 else 1
    return forecast(list(points.values()), rules, days_ahead=FORECAST_DAYS / spacing)
