"""Serves the deployments: starts each run when it is due, in a process of its own."""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.runner import Runner

from flows.deployments import FILE, deployments
from flows.leftovers import end_broken, skip_missed
from flows.running import tell
from mi_core import words


async def serve(file: Path = FILE) -> None:
    """Serve until SIGINT, which cancels the runs under way."""
    served = await deployments(file)
    # As many as there are: none waits for another flow, and none overlaps itself.
    runner = Runner(name="schedule", pause_on_shutdown=False, limit=len(served))
    _stop_on_signal(runner)
    async with get_client() as client:
        for each in served:
            await _stay_paused(client, each)
        ids = [await runner.aadd_deployment(each) for each in served]
        await _clear(client, dict(zip(ids, served, strict=True)))
    print("\n".join(f"  {each.full_name}: {_times(each)}" for each in served), flush=True)
    await runner.start()


def _stop_on_signal(runner: Runner) -> None:
    serving, stopping = asyncio.current_task(), list[asyncio.Task[None]]()

    def stop() -> None:
        if runner.started:
            stopping.append(asyncio.ensure_future(runner.astop()))
        elif serving:
            serving.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop)


def _times(deployment: RunnerDeployment) -> str:
    told = [
        f"{_time(each.schedule)}{'' if each.active and not deployment.paused else ' (paused)'}"
        for each in deployment.schedules or []
    ]
    return ", ".join(told) or "on request"


def _time(schedule: object) -> str:
    match schedule:
        case CronSchedule(cron=cron, timezone=zone):
            return f"{cron} {zone}"
        case IntervalSchedule(interval=interval):
            return f"every {interval}"
        case other:
            return str(other)


async def _stay_paused(client: PrefectClient, deployment: RunnerDeployment) -> None:
    """What somebody paused on Prefect's pages, Prefect would start again with the next serving."""
    with suppress(ObjectNotFound):
        known = await client.read_deployment_by_name(deployment.full_name)
        deployment.paused = known.paused
        for each in deployment.schedules or []:
            each.active = not any(
                old.schedule == each.schedule and not old.active for old in known.schedules
            )


async def _clear(client: PrefectClient, served: Mapping[UUID, RunnerDeployment]) -> None:
    ids = list(served)
    broken, missed = await end_broken(client, ids), await skip_missed(client, ids)
    if missed:
        print(f"{len(missed)} runs were missed; the newest of each flow makes up for them.")
    if broken:
        names = words.listed([_began(run, served) for run in broken])
        print(f"What served before ended in the middle of {names}: Crashed now.")
        tell("Scheduled runs were broken off", f"They are Crashed now: {names}.")


def _began(run: FlowRun, served: Mapping[UUID, RunnerDeployment]) -> str:
    """A run as people know it: which deployment's it was, and when it began."""
    deployment = served.get(run.deployment_id) if run.deployment_id else None
    name = f"{deployment.full_name} ({run.name})" if deployment else run.name
    at = run.start_time or run.expected_start_time
    return f"{name} of {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else name
