"""`make schedule`: Prefect's server and what serves the flows, by one command, until Ctrl-C.

The two are processes in sessions of their own: Ctrl-C reaches this one alone, which ends first
what serves and then the server.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from filelock import FileLock, Timeout

from flows import ROOT
from flows.environment import environment
from mi_core.errors import MiError
from mi_core.settings import Settings, load_settings

Process = subprocess.Popen[bytes]

_RUNS_END_SECONDS, _SERVER_ENDS_SECONDS = 75, 15


class Cannot(Exception):
    """Why the flows can't be served, or no longer, as a sentence."""


class Schedule:
    """The two processes; `stop` is set by a signal."""

    def __init__(self, workspace: Path, port: int, files: list[str]) -> None:
        self.address, self.files = ("127.0.0.1", port), files
        self.home, self.variables = workspace / "prefect", environment(workspace, port)
        self.stop = False

    def run(self) -> None:
        """Until a signal, or until one of the two ends by itself."""
        log = self.home / "server.log"
        with log.open("wb") as written:
            server = self._start("server", stdout=written, stderr=subprocess.STDOUT)
        try:
            self._wait(server, self._answers, f"Prefect's server didn't start; see {log}.")
            serving = self._start("serving", *self.files)
            try:
                self._wait(serving, lambda: server.poll() is not None, "Serving ended by itself.")
                if not self.stop:
                    raise Cannot(f"Prefect's server ended by itself; see {log}.")
            finally:
                _end(serving, _RUNS_END_SECONDS)
        finally:
            _end(server, _SERVER_ENDS_SECONDS)

    def _start(self, name: str, *arguments: str, **outputs: object) -> Process:
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            [sys.executable, "-m", "flows.child", name, *arguments],
            env=self.variables,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            **outputs,
        )

    def _wait(self, process: Process, until: Callable[[], bool], otherwise: str) -> None:
        while not self.stop and not until():
            if process.poll() is not None:
                raise Cannot(otherwise)
            time.sleep(0.2)

    def _answers(self) -> bool:
        with suppress(OSError, HTTPException), closing(HTTPConnection(*self.address, 10)) as asked:
            asked.request("GET", "/api/health")
            return asked.getresponse().status == HTTPStatus.OK
        return False


def _end(process: Process, seconds: float) -> None:
    """Let it end, and then make it, with whatever it started."""
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _check_workspace(folder: Path, settings: Settings) -> None:
    """Serving would make an empty one, and never say that the name is wrong."""
    if not (settings.catalog_url or (folder / "catalog.sqlite").is_file()):
        raise Cannot(
            f"There is no workspace in {folder}; make one with mi init, or sample data with make"
            " demo, and set MI_WORKSPACE to data/demo/workspace."
        )


def _check_port(port: int) -> None:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise Cannot(
            f"Port {port} can't be had ({os.strerror(error.errno or 0).lower()}); "
            "name another, such as MI_SCHEDULE_PORT=4300."
        ) from None


def main(files: list[str]) -> int:
    """Serve the flows of prefect.yaml, or of another file of its kind; returns the exit code."""
    try:
        settings = load_settings()
        workspace = settings.workspace.absolute()
        _check_workspace(workspace, settings)
        if not (workspace / "prefect").exists():
            _check_port(settings.schedule_port)
            (workspace / "prefect").mkdir(parents=True)
        with FileLock(workspace / "prefect" / "schedule.lock", timeout=0):
            _check_port(settings.schedule_port)
            schedule = Schedule(workspace, settings.schedule_port, files)
            for each in (signal.SIGINT, signal.SIGTERM):
                signal.signal(each, lambda *_: setattr(schedule, "stop", True))
            where = f"http://127.0.0.1:{settings.schedule_port}"
            print(f"Serving {workspace} at {where}; Ctrl-C ends it.", flush=True)
            schedule.run()
    except Timeout:
        print(f"The flows of {workspace} are served already.", file=sys.stderr)
        return 1
    except (Cannot, MiError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
