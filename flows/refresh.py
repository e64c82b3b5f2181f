"""Every hour: events out of the inbox, scores, views, snapshots; then the watch, and who leaves.

Once a day, maintenance.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prefect import flow, get_run_logger, task

from flows import showing
from flows.running import ALERTED, ON_IO, discreet
from mi_core import open_workspace
from mi_core.errors import NotDelivered
from mi_core.instants import moment_of

if TYPE_CHECKING:
    from mi_core.monitoring.check import Check
    from mi_core.monitoring.churn_webhook import Delivery
    from mi_core.refresh import Refreshed
    from mi_core.workspace import Maintenance


@task(name="refresh", **ON_IO)
@discreet
def score(as_of: datetime) -> "Refreshed":
    with open_workspace() as workspace:
        return workspace.refresh(as_of)


@task(**ON_IO)
@discreet
def maintain(keep_days: int) -> "Maintenance | None":
    """None where that was done on this UTC day already."""
    with open_workspace() as workspace:
        last = workspace.maintained_at()
        is_due = last is None or last.date() < datetime.now(UTC).date()
        return workspace.maintain(keep_days=keep_days) if is_due else None


@task(**ON_IO)
@discreet
def watch() -> "list[Check]":
    with open_workspace() as workspace:
        try:
            return workspace.watch(notify=workspace.settings.alert_urls is not None)
        except NotDelivered as error:
            # The next watch sends it again, to that channel alone. To fail would ring the others
            # every hour.
            get_run_logger().warning(str(error))
            return error.checks


@task(**ON_IO)
@discreet
def send_churn() -> "Delivery | None":
    """None where there is nobody to send to."""
    with open_workspace() as workspace:
        if not workspace.settings.churn_webhook_url:
            return None
        delivery = workspace.send_churn()
        if delivery.problem:
            get_run_logger().warning(delivery.problem)
        return delivery


@flow(name="refresh", timeout_seconds=2 * 3600, **ALERTED)
def refresh(as_of: datetime | None = None, keep_days: int = 7) -> "Refreshed":
    """Drain the inbox and score everybody as of `as_of` (default: now); then look and tell.

    A day, or a time without a zone, is UTC.

    The first run of a UTC day also maintains the lake, keeping everything for `keep_days` days.
    What comes after the scores is done one without the other; the run fails if one does.
    """
    refreshed = score(moment_of("as_of", as_of or datetime.now(UTC)))
    maintained = maintain(keep_days, return_state=True)
    watched = watch(return_state=True)
    sent = send_churn(return_state=True)
    showing.refreshed(
        refreshed,
        maintained.result() if maintained.is_completed() else None,
        watched.result() if watched.is_completed() else [],
        sent.result() if sent.is_completed() else None,
    )
    for each in (maintained, watched, sent):
        each.result()
    return refreshed
