"""Scheduled work, done now; by GET too, for schedulers that can only GET."""

from fastapi import APIRouter

from mi_core.api.crew import CrewOf
from mi_core.api.models.cron import QueueWorked, Refreshed
from mi_core.api.routes.params import problems
from mi_core.api.tokens import needs
from mi_core.api.verbs import cron

router = APIRouter(
    prefix="/api/cron", tags=["cron"], dependencies=[needs("cron")], responses=problems()
)


@router.get("/refresh-marketing-views", summary="Drain, score, store the views")
@router.post("/refresh-marketing-views", summary="Drain, score, store the views")
async def refresh_marketing_views(crew: CrewOf) -> Refreshed:
    return await crew.work(cron.refresh_views)


@router.get("/process-enrichment-queue", summary="Work up to ten leads")
@router.post("/process-enrichment-queue", summary="Work up to ten leads")
async def process_enrichment_queue(crew: CrewOf) -> QueueWorked:
    return await crew.work(cron.work_queue)
