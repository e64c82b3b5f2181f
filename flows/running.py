"""How every flow runs: what is tried again, and who is told when one fails."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prefect import Flow, Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import FlowRun, State, TaskRun
from prefect.settings import PREFECT_UI_URL
from prefect.tasks import exponential_backoff

from mi_core.errors import LockTimeout, MiError, RelationError, Unreachable
from mi_core.monitoring import alerts
from mi_core.settings import load_settings

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger(__name__)

TRANSIENT = (LockTimeout, Unreachable, OSError)
"""What may go well a moment later; a value or a definition that is wrong stays wrong."""

LASTING = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
"""Of these, what stays as it is until somebody mends it."""

_TOLD_TO_END = "Process exited with status code: -15"
"""What Prefect says of a run whose process got SIGTERM before it could say so itself."""


def is_transient(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a task that ended in this state is tried again."""
    return may_pass(state.result(raise_on_failure=False))


def may_pass(error: object) -> bool:
    if isinstance(error, RelationError):
        return error.may_pass
    return isinstance(error, TRANSIENT) and not isinstance(error, LASTING)


def discreet(function: Callable[P, R]) -> Callable[P, R]:
    """A task's function whose errors may be kept: Prefect stores their words and tracebacks, and
    `mi forget` doesn't reach there.
    """

    @wraps(function)
    def call(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            return function(*arguments, **named)
        except Exception as error:
            if not _may_repeat(error):
                # Its context is another's, whose words a traceback would have.
                raise error from None
            kind = Unreachable if may_pass(error) else MiError
            hidden = kind(words(error))
        # Outside of the block: no error of Python's is behind it.
        raise hidden

    return call


def words(error: BaseException) -> str:
    """What may be said of an error where nobody erases it."""
    if not _may_repeat(error):
        return str(error)
    return f"{type(error).__name__}. What it says may hold people's values, and isn't kept here."


def _may_repeat(error: BaseException | None) -> bool:
    """Whether its words may be a value that was met: all but this package's own sentences.

    What is raised from another error, as of a report's cell, has that one's words.
    """
    if not isinstance(error, MiError) or isinstance(error, RelationError) or error.__cause__:
        return True
    behind = error.__context__
    return isinstance(behind, MiError) and _may_repeat(behind)


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
    said = words(error) if isinstance(error, BaseException) else state.message
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
