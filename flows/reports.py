"""Daily and weekly: the reports, each a notebook run by papermill into one page."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from prefect import flow, task
from prefect.client.schemas.objects import State

from flows import showing
from flows.running import ALERTED, ON_IO, discreet, words
from mi_core import open_workspace
from mi_core.errors import ReportError
from mi_core.instants import moment_of
from mi_core.reports import catalogue


@task(task_run_name="{name}", **ON_IO)
@discreet
def render(name: str, as_of: datetime | None, days: int) -> Path:
    with open_workspace() as workspace:
        return workspace.report(name, as_of=as_of, days=days)


@flow(name="reports", timeout_seconds=2 * 3600, **ALERTED)
def reports(
    cadence: Literal["daily", "weekly"] = "daily", as_of: datetime | None = None
) -> dict[str, Path]:
    """Render the reports of a cadence, as of the newest scoring or `as_of`.

    A day, or a time without a zone, is UTC. One that fails leaves its last good page and doesn't
    keep the others from being rendered.

    Raises
    ------
    ReportError
        Some failed; it names them.
    """
    as_of = moment_of("as_of", as_of) if as_of else None
    due = {name: each for name, each in catalogue().items() if each.cadence == cadence}
    states = {name: render(name, as_of, each.days, return_state=True) for name, each in due.items()}
    pages = {name: state.result() for name, state in states.items() if state.is_completed()}
    failed = {name: _why(state) for name, state in states.items() if name not in pages}
    showing.rendered({name: due[name].title for name in due}, pages, failed)
    if failed:
        raise ReportError(f"Not rendered: {', '.join(failed)}; their last good pages stay.")
    return pages


def _why(state: State[Path]) -> str | None:
    error = None if state.is_crashed() else state.result(raise_on_failure=False)
    return words(error) if isinstance(error, BaseException) else state.message
