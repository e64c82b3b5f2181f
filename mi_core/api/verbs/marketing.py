"""Leads, personas and scores of one person, as the API has them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from mi_core.api.models.base import Window
from mi_core.api.models.journey import PersonJourney
from mi_core.api.models.marketing import (
    Advice,
    Breakdown,
    Components,
    ForecastIn7Days,
    Intent,
    IntentTrend,
    LeadQueued,
    LeadStatus,
    Magnetism,
    MagnetismTrend,
    PersonaAssigned,
    PersonaBucket,
    PersonaSet,
    Snapshot,
    Source,
    Standing,
)
from mi_core.api.verbs.people import known_person
from mi_core.enrichment.intake import Entry
from mi_core.errors import BadValue, UnknownName, UnknownPerson
from mi_core.intent import Trend, round_half_up
from mi_core.magnetism import Momentum
from mi_core.person import Row, Scores
from mi_core.workspace import Workspace

MICROS_PER_CENT = 10_000

# --- leads


def enrich(workspace: Workspace, email: str, user_id: str | None, trigger: str) -> LeadQueued:
    """Queue a lead.

    Raises
    ------
    BadValue
        The address can't be enriched; the sentence says why, and doesn't repeat it.
    """
    queued = workspace.enrichment.put(Entry(email, user_id, trigger=trigger))
    for problem in queued.problems:
        raise BadValue(problem["problem"])
    [status], [owner] = queued.statuses, queued.user_ids
    is_queued = status == "queued"
    return LeadQueued(
        status="queued" if is_queued else "skipped",
        user_id=owner,
        lead_status="pending" if is_queued else status,
        reason=next(iter(queued.skipped_for), None),
    )


def lead_status(workspace: Workspace, user_id: str) -> LeadStatus:
    """How far a lead is; UnknownPerson where none was queued with that id."""
    lead = workspace.enrichment.lead(user_id)
    return LeadStatus(cost_cents=lead["cost_micros"] / MICROS_PER_CENT, **_fields(LeadStatus, lead))


def _fields(model: type[LeadStatus], row: Row) -> dict[str, Any]:
    return {name: row[name] for name in model.model_fields if name in row}


# --- personas


def assign_persona(
    workspace: Workspace, user_id: str, slug: str, confidence: float, source: Source
) -> PersonaSet:
    """Assign a persona, unless a stronger source has assigned one.

    Raises
    ------
    UnknownName
        There is no such persona; it names the nearest.
    UnknownPerson
        Nothing ever came with that id.
    """
    if slug not in workspace.definitions.personas:
        raise UnknownName("persona", slug, workspace.definitions.personas)
    person = known_person(workspace, user_id)
    given = [(person, slug, confidence)]
    now = datetime.now(UTC)
    changed = workspace.state.assign_personas(given, source=source, assigned_at=now)
    stands = _assigned(workspace, person)
    return PersonaSet(
        changed=bool(changed),
        detail="The persona is assigned." if changed else _why_unchanged(stands, slug, source),
        assignment=stands,
    )


def _why_unchanged(stands: PersonaAssigned, slug: str, source: str) -> str:
    if stands.source != source:
        return f"What {stands.source} said stands: {source} is a weaker source."
    if stands.bucket.slug == slug:
        return "It was assigned already."
    return "A later assignment stands."


def persona_of(workspace: Workspace, user_id: str) -> PersonaAssigned:
    """The assignment in force; UnknownPerson where there is none."""
    return _assigned(workspace, known_person(workspace, user_id))


def _assigned(workspace: Workspace, person: str) -> PersonaAssigned:
    row = workspace.state.assignment_of(person)
    if row is None:
        raise UnknownPerson("No persona is assigned to the person with that id yet.")
    bucket = PersonaBucket(**{name: row[name] for name in PersonaBucket.model_fields})
    return PersonaAssigned(
        user_id=person,
        bucket=bucket,
        confidence=row["confidence"],
        source=row["source"],
        assigned_at=row["assigned_at"],
    )


# --- scores


def magnetism(workspace: Workspace, user_id: str, window: Window) -> Magnetism:
    """The magnetism index over a window; UnknownPerson for a stranger."""
    return _magnetism(workspace.scores(user_id), window)


def rescore(workspace: Workspace, user_id: str, window: Window) -> Magnetism:
    """The same as of now, and kept as a snapshot."""
    return _magnetism(workspace.rescore(user_id), window)


def _magnetism(person: Scores, window: Window) -> Magnetism:
    view = person.magnetism[window]
    return Magnetism(
        user_id=person.user_id,
        window=window,
        index=round_half_up(view.index),
        index_exact=view.index,
        band=view.band,
        risk_level=view.risk_level,
        components=Components(**view.components),
        churn_risk=view.churn_risk,
        recommendations=[Advice.model_validate(each) for each in view.recommendations],
        trend=_magnetism_trend(view.trend),
        forecast=ForecastIn7Days.model_validate(view.forecast),
        history=_history(person.history, f"magnetism_{window}"),
        cohort_comparison=Standing.model_validate(view.cohort),
        as_of=person.as_of,
        config_version=person.config_version,
    )


def _magnetism_trend(momentum: Momentum | None) -> MagnetismTrend | None:
    if momentum is None:
        return None
    return MagnetismTrend(velocity=momentum.velocity, **_change(momentum.trend))


def _change(trend: Trend) -> dict[str, Any]:
    return asdict(trend) | {"change": round(trend.change, 2)}


def _history(rows: Sequence[Row], name: str) -> list[Snapshot]:
    return [
        Snapshot(as_of=row["as_of"], index=round_half_up(row[name]))
        for row in rows
        if row[name] is not None
    ]


def intent(workspace: Workspace, user_id: str) -> Intent:
    """The intent score with its reasons; UnknownPerson for a stranger."""
    person = workspace.scores(user_id)
    view = person.intent
    return Intent(
        user_id=person.user_id,
        score=round_half_up(view.score),
        score_exact=view.score,
        level=view.level,
        signals_count=view.signals_count,
        breakdown=Breakdown.model_validate(view),
        top_signals=list(view.top_signals),
        trend=_intent_trend(view.trend),
        as_of=person.as_of,
        config_version=person.config_version,
    )


def _intent_trend(trend: Trend | None) -> IntentTrend | None:
    if trend is None:
        return None
    told = _change(trend)
    return IntentTrend(trend=told.pop("direction"), **told)


def journey(workspace: Workspace, user_id: str) -> PersonJourney:
    """Milestones, touchpoints, credit; UnknownPerson for a stranger."""
    return PersonJourney.model_validate(workspace.journey(user_id))
