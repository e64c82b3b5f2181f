"""Whether the server lives, and what it counts."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from mi_core.api.draining import Draining
from mi_core.api.metrics import REGISTRY
from mi_core.api.routes.params import problems
from mi_core.api.tokens import needs

router = APIRouter(tags=["operation"])


class Health(BaseModel):
    """The server lives."""

    status: str = "ok"


@router.get("/healthz", summary="Whether the server lives")
async def get_health() -> Health:
    return Health()


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    dependencies=[needs("read")],
    responses={200: {"content": {"text/plain": {}}}, **problems()},
)
async def get_metrics(request: Request) -> Response:
    draining: Draining = request.app.state.draining
    await draining.lag()
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
