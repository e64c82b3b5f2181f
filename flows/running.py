"""How every flow runs: what is tried again, and who is told when one fails."""

import logging
from typing import Any

from prefect import Flow, Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import FlowRun, State, TaskRun
from prefect.settings import PREFECT_UI_URL
from prefect.tasks import exponential_backoff

from mi_core.errors import LockTimeout, MiError, RelationError
from mi_core.monitoring import alerts
from mi_core.settings import load_settings

log = logging.getLogger(__name__)

TRANSIENT = (LockTimeout, OSError)
"""What may go well a moment later; a value or a definition that is wrong stays wrong."""

_TOLD_TO_END = "Process exited with status code: -15"
"""What Prefect says of a run whose process got SIGTERM before it could say so itself."""


def is_transient(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a task that ended in this state is tried again."""
    return isinstance(state.result(raise_on_failure=False), TRANSIENT)


def notify_failure(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Tell of a run that failed or crashed, by these names that Prefect calls it with."""
    if not (state.message or "").startswith(_TOLD_TO_END):
        tell(f"The flow {flow.name} has {str(state.name).lower()}", _words(flow_run, state))


def tell(title: str, body: str) -> None:
    """Send to those at MI_ALERT_URLS, if any; that it can't be sent is a line in the log alone."""
    try:
        settings = load_settings()
        failed = alerts.send(settings, title, body) if settings.alert_urls else []
    except Exception as error:
        # Its words may have an address with a password in it.
        failed = [type(error).__name__]
    if failed:
        log.warning("%s; this could not be sent: %s.", title, ", ".join(failed))


def _words(run: FlowRun, state: State[Any]) -> str:
    error = None if state.is_crashed() else state.result(raise_on_failure=False)
    # Others, and those of SQL, may repeat a value that they met.
    is_ours = isinstance(error, MiError) and not isinstance(error, RelationError)
    said = str(error) if is_ours else type(error).__name__ if error else state.message
    return f"{said or 'No reason is known.'}\n{PREFECT_UI_URL.value()}/runs/flow-run/{run.id}"


ON_IO: dict[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": exponential_backoff(backoff_factor=5),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_transient,
    "cache_policy": NO_CACHE,
}
"""Options of a task."""

ALERTED: dict[str, Any] = {"on_failure": [notify_failure], "on_crashed": [notify_failure]}
"""Options of a flow."""
