"""Running the app under uvicorn, until a signal ends it."""

import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn

from mi_core.api.app import create_app
from mi_core.api.watch import log_as_json
from mi_core.errors import SettingsError
from mi_core.inlet import Inlet
from mi_core.settings import Settings

_MOST_AT_ONCE = 2_000
"""Connections; what comes then is turned away before anybody looks at it."""
_DRAIN_SECONDS = 30
"""How long requests under way may take once the server is told to end."""


def run(
    path: Path, settings: Settings, host: str, port: int, *, announce: Callable[[str], object]
) -> None:
    """Serve the workspace in the folder `path` until SIGINT or SIGTERM.

    Raises
    ------
    SettingsError
        A secret can't be read, or the address isn't free.
    WorkspaceError
        The workspace can't be opened.
    """
    folder = path.absolute()
    # What is wrong with it is better said now, in a sentence, than by processes that can't begin.
    Inlet(folder, settings).close()
    listening = _listening(host, port)
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{listening.getsockname()[1]}"
    app = create_app(folder, settings, on_ready=lambda: announce(url))
    log_as_json()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_keep_alive=75,
        limit_concurrency=_MOST_AT_ONCE,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    # What the processes answer comes in by other threads, which the loop must let on quickly.
    sys.setswitchinterval(0.0005)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _heard)
    with listening:
        uvicorn.Server(config).run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise SettingsError(
            f"The server can't listen at {host}:{port}: {error.strerror}."
        ) from None


def _heard(_number: int, _frame: object) -> None:
    """Uvicorn ends at a signal, and then raises it again: who asked for the end has had it."""
