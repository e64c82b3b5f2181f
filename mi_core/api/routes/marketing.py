"""Leads, personas and scores of one person."""

from fastapi import APIRouter

from mi_core.api.crew import CrewOf
from mi_core.api.models.analytics import EnrichmentStats
from mi_core.api.models.journey import PersonJourney
from mi_core.api.models.marketing import (
    Intent,
    LeadGiven,
    LeadQueued,
    LeadStatus,
    Magnetism,
    PersonaAssigned,
    PersonaGiven,
    PersonaSet,
)
from mi_core.api.routes.params import Days, PersonInPath, PersonInQuery, WindowInQuery, problems
from mi_core.api.tokens import needs
from mi_core.api.verbs import analytics, marketing

router = APIRouter(prefix="/api/v1/marketing", tags=["marketing"])

READ, WRITE = [needs("read")], [needs("write")]


@router.post(
    "/enrich",
    summary="Queue a lead",
    status_code=202,
    dependencies=WRITE,
    responses=problems(400, 413, 422),
)
async def post_lead(lead: LeadGiven, crew: CrewOf) -> LeadQueued:
    """A lead that is known already, such as a completed one, is skipped."""
    return await crew.ask(marketing.enrich, lead.email, lead.user_id, lead.trigger)


@router.get(
    "/enrich",
    summary="How far a lead is, and what it cost",
    dependencies=READ,
    responses=problems(404, 422),
)
async def get_lead(user_id: PersonInQuery, crew: CrewOf) -> LeadStatus:
    return await crew.ask(marketing.lead_status, user_id)


@router.get(
    "/enrichment-stats",
    summary="How the enrichment does",
    dependencies=READ,
    responses=problems(422),
)
async def get_enrichment_stats(crew: CrewOf, days: Days = 30) -> EnrichmentStats:
    return await crew.ask(analytics.enrichment_stats, days)


@router.post(
    "/persona",
    summary="Assign a persona",
    dependencies=WRITE,
    responses=problems(400, 404, 413, 422),
)
async def post_persona(given: PersonaGiven, crew: CrewOf) -> PersonaSet:
    """A weaker source never overwrites a stronger one: manual, ai_enrichment, behavior_analysis."""
    return await crew.ask(
        marketing.assign_persona, given.user_id, given.slug, given.confidence, given.source
    )


@router.get(
    "/persona",
    summary="Somebody's persona",
    dependencies=READ,
    responses=problems(404, 422),
)
async def get_persona(user_id: PersonInQuery, crew: CrewOf) -> PersonaAssigned:
    return await crew.ask(marketing.persona_of, user_id)


@router.get(
    "/magnetism/{user_id:path}",
    summary="How strongly the brand draws somebody back",
    dependencies=READ,
    responses=problems(404, 422),
)
async def get_magnetism(
    user_id: PersonInPath, crew: CrewOf, window: WindowInQuery = "30d"
) -> Magnetism:
    return await crew.ask(marketing.magnetism, user_id, window)


@router.post(
    "/magnetism/{user_id:path}",
    summary="Score somebody as of now, and keep it",
    dependencies=WRITE,
    responses=problems(404, 422),
)
async def post_magnetism(
    user_id: PersonInPath, crew: CrewOf, window: WindowInQuery = "30d"
) -> Magnetism:
    """Both windows and intent are kept, in place of the person's own since the last scoring."""
    return await crew.write(marketing.rescore, user_id, window)


@router.get(
    "/intent/{user_id:path}",
    summary="How close somebody seems to a purchase",
    dependencies=READ,
    responses=problems(404, 422),
)
async def get_intent(user_id: PersonInPath, crew: CrewOf) -> Intent:
    return await crew.ask(marketing.intent, user_id)


@router.get(
    "/attribution/{user_id:path}",
    summary="Somebody's journey, and which touchpoints earn the credit",
    dependencies=READ,
    responses=problems(404, 422),
)
async def get_journey(user_id: PersonInPath, crew: CrewOf) -> PersonJourney:
    return await crew.ask(marketing.journey, user_id)
