"""The deployments of prefect.yaml, as this process serves them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.schedules import Schedule
from prefect.types.entrypoint import EntrypointType

from flows import ROOT

FILE = ROOT / "prefect.yaml"


async def deployments(file: Path = FILE) -> list[RunnerDeployment]:
    """Each with its schedules, parameters and limit; without the work pool."""
    listed = yaml.safe_load(file.read_text(encoding="utf-8"))["deployments"]
    return [await _deployment(**each) for each in listed]


async def _deployment(
    *,
    name: str,
    entrypoint: str,
    description: str,
    schedules: list[dict[str, Any]],
    concurrency_limit: dict[str, Any],
    work_pool: dict[str, Any],
    parameters: dict[str, Any] | None = None,
) -> RunnerDeployment:
    flow: Flow[..., Any] = load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
    return await flow.ato_deployment(
        name,
        description=description,
        schedules=[_schedule(**each) for each in schedules],
        concurrency_limit=ConcurrencyLimitConfig(**concurrency_limit),
        parameters=parameters,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def _schedule(*, interval: float | None = None, **more: Any) -> Schedule:
    """As prefect.yaml has it: an interval in seconds."""
    return Schedule(interval=timedelta(seconds=interval) if interval else None, **more)
