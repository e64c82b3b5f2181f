"""The dashboard's figures."""

from typing import Annotated

from fastapi import APIRouter, Query

from mi_core.api.crew import CrewOf
from mi_core.api.models.analytics import Credits, DailyFunnel, MagnetismSummary, Personas
from mi_core.api.routes.params import Days, WindowInQuery, problems
from mi_core.api.tokens import needs
from mi_core.api.verbs import analytics
from mi_core.attribution.models import MODELS
from mi_core.attribution.paths import BY

router = APIRouter(prefix="/api/v1/analytics", tags=["analytics"], dependencies=[needs("read")])

# The core says which there are, and names the nearest; the schema has them for who reads it.
Model = Annotated[
    str,
    Query(
        description="How credit is shared out.",
        max_length=64,
        json_schema_extra={"enum": list(MODELS)},
    ),
]
By = Annotated[
    str,
    Query(description="What gets the credit.", max_length=64, json_schema_extra={"enum": list(BY)}),
]
Intervals = Annotated[bool, Query(description="With bootstrap intervals, which takes longer.")]


@router.get("/funnel", summary="The funnel day by day", responses=problems(422))
async def get_funnel(crew: CrewOf, days: Days = 30) -> DailyFunnel:
    return await crew.ask(analytics.funnel, days)


@router.get("/personas", summary="How the people of each persona do", responses=problems())
async def get_personas(crew: CrewOf) -> Personas:
    return await crew.ask(analytics.personas)


@router.get(
    "/magnetism-summary",
    summary="How magnetism and churn risk are spread",
    responses=problems(422),
)
async def get_magnetism_summary(crew: CrewOf, window: WindowInQuery = "30d") -> MagnetismSummary:
    return await crew.ask(analytics.magnetism_summary, window)


@router.get(
    "/attribution",
    summary="Who gets the credit for conversions",
    responses=problems(422),
)
async def get_attribution(
    crew: CrewOf,
    model: Model = "last_touch",
    by: By = "channel",
    days: Days = 90,
    intervals: Intervals = False,
) -> Credits:
    # A thousand draws take seconds: who looks a person up doesn't wait for them.
    run = crew.work if intervals else crew.ask
    return await run(analytics.attribution, model, by, days, intervals)
