"""Every five minutes: ten leads of the queue."""

from typing import TYPE_CHECKING

from prefect import flow, get_run_logger, task

from flows import showing
from flows.running import ALERTED, ON_IO, discreet
from mi_core import open_workspace

if TYPE_CHECKING:
    from mi_core.enrichment.costs import Costs
    from mi_core.enrichment.worker import Worked


@task(**ON_IO)
@discreet
def work(leads: int) -> "Worked":
    with open_workspace() as workspace:
        return workspace.enrichment.work(leads)


@task(**ON_IO)
@discreet
def costs(days: int) -> "Costs":
    with open_workspace() as workspace:
        return workspace.enrichment.costs(days=days)


@flow(name="enrich", timeout_seconds=3600, **ALERTED)
def enrich(leads: int = 10) -> "Worked":
    """Work the queue: up to `leads` leads, within the caps on money."""
    worked = work(leads)
    if worked.alert:
        get_run_logger().warning(worked.alert)
    if worked.taken:
        showing.enriched(worked, costs(30))
    return worked
