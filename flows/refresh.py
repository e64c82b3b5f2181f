"""Every hour: events out of the inbox, scores, views and snapshots; once a day, maintenance."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prefect import flow, task

from flows import showing
from flows.running import ALERTED, ON_IO
from mi_core import open_workspace

if TYPE_CHECKING:
    from mi_core.refresh import Refreshed
    from mi_core.workspace import Maintenance


@task(name="refresh", **ON_IO)
def score(as_of: datetime) -> "Refreshed":
    with open_workspace() as workspace:
        return workspace.refresh(as_of)


@task(**ON_IO)
def maintained_at() -> datetime | None:
    with open_workspace() as workspace:
        return workspace.maintained_at()


@task(**ON_IO)
def maintain(keep_days: int) -> "Maintenance":
    with open_workspace() as workspace:
        return workspace.maintain(keep_days=keep_days)


@flow(name="refresh", timeout_seconds=2 * 3600, **ALERTED)
def refresh(as_of: datetime | None = None, keep_days: int = 7) -> "Refreshed":
    """Drain the inbox and score everybody as of `as_of` (default: now).

    The first run of a UTC day also maintains the lake, keeping everything for `keep_days` days.
    """
    refreshed = score(as_of or datetime.now(UTC))
    last = maintained_at()
    maintained = None
    if last is None or last.date() < datetime.now(UTC).date():
        maintained = maintain(keep_days)
    showing.refreshed(refreshed, maintained)
    return refreshed
