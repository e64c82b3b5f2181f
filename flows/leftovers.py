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
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = 200
"""The server gives no more at once."""
UNDER_WAY = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]


async def end_broken(client: PrefectClient, deployments: Sequence[UUID]) -> list[FlowRun]:
    """Runs that nobody is at any more end as Crashed; returns them as they were."""
    runs = await _runs(client, deployments, UNDER_WAY)
    for run in runs:
        state: State[Any] = Crashed(message=BROKEN)
        await client.set_flow_run_state(run.id, state, force=True)
    return runs


async def skip_missed(client: PrefectClient, deployments: Sequence[UUID]) -> list[FlowRun]:
    """Of the runs of a schedule that are overdue, the newest makes up for all; the others end as
    Cancelled. Returns these. What somebody asked for is nobody else's work, and stays.
    """
    due = await _runs(client, deployments, [StateType.SCHEDULED], due_before=datetime.now(UTC))
    overdue = [run for run in due if run.auto_scheduled]
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
    found: list[FlowRun] = []
    while True:
        page = await client.read_flow_runs(
            flow_run_filter=wanted,
            # Of runs due at the same time, pages would show some twice and some never.
            sort=FlowRunSort.ID_DESC,
            limit=_PAGE,
            offset=len(found),
        )
        found += page
        if len(page) < _PAGE:
            return sorted(
                found, key=lambda run: run.expected_start_time or run.created or _LONG_AGO
            )
