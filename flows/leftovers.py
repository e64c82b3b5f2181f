"""What an earlier `make schedule` left: runs that it was killed in, runs that came due meanwhile.

Prefect would show the first as running for ever, and none of their flow would start again; of the
second it would start all.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas import filters
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelled, Crashed

BROKEN = "The machine, or what served the flows, ended while this ran."
MISSED = "Missed; a later run makes up for it."
UNDER_WAY = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]


async def end_broken(client: PrefectClient, deployments: Sequence[UUID]) -> list[FlowRun]:
    """Runs that nobody is at any more end as Crashed; returns them as they were."""
    runs = await _runs(client, deployments, UNDER_WAY)
    for run in runs:
        state: State[Any] = Crashed(message=BROKEN)
        await client.set_flow_run_state(run.id, state, force=True)
    return runs


async def skip_missed(client: PrefectClient, deployments: Sequence[UUID]) -> list[FlowRun]:
    """Of the runs of a deployment that are overdue, the newest makes up for all; the others end
    as Cancelled. Returns these.
    """
    overdue = await _runs(client, deployments, [StateType.SCHEDULED], due_before=datetime.now(UTC))
    newest = {run.deployment_id: run.id for run in overdue}
    missed = [run for run in overdue if newest[run.deployment_id] != run.id]
    for run in missed:
        state: State[Any] = Cancelled(message=MISSED)
        await client.set_flow_run_state(run.id, state, force=True)
    return missed


async def _runs(
    client: PrefectClient,
    deployments: Sequence[UUID],
    states: Sequence[StateType],
    due_before: datetime | None = None,
) -> list[FlowRun]:
    """Those of the deployments in the states, the one that was due first first."""
    wanted = filters.FlowRunFilter(
        deployment_id=filters.FlowRunFilterDeploymentId(any_=list(deployments)),
        state=filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=list(states))),
        next_scheduled_start_time=due_before
        and filters.FlowRunFilterNextScheduledStartTime(before_=due_before),
    )
    sort = FlowRunSort.EXPECTED_START_TIME_ASC
    return await client.read_flow_runs(flow_run_filter=wanted, sort=sort)
