"""`make schedule` on a workspace of its own, with schedules of seconds."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[1]

HASTY = {
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_RUNNER_POLL_FREQUENCY": "1",
    "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "1",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
}


@dataclass
class FlowServer:
    """It, running; `log` has what it and its runs say."""

    process: "subprocess.Popen[bytes]"
    workspace: Path
    url: str
    log: Path

    def ask(self, deployment: str, **parameters: Any) -> FlowRun:
        """Ask for a run, as a button of the pages does."""
        with get_client(sync_client=True) as client:
            found = client.read_deployment_by_name(deployment)
            return client.create_flow_run_from_deployment(found.id, parameters=parameters)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def deployments_file(folder: Path, seconds: dict[str, float]) -> Path:
    """prefect.yaml, with intervals instead of its schedules: those named alone are scheduled."""
    spec = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    for each in spec["deployments"]:
        every = seconds.get(each["name"])
        each["schedules"] = [{"interval": every}] if every else []
    file = folder / "hasty.yaml"
    file.write_text(yaml.safe_dump(spec))
    return file


def start(workspace: Path, file: Path) -> FlowServer:
    log = workspace.with_name("schedule.log")
    port = free_port()
    variables = {"MI_WORKSPACE": str(workspace), "MI_SCHEDULE_PORT": str(port), **HASTY}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows", str(file)],
            env={**os.environ, **variables},
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    served = FlowServer(process, workspace, f"http://127.0.0.1:{port}", log)
    try:
        eventually(lambda: "on request" in log.read_text(), served)
    except BaseException:
        served.end()
        raise
    return served


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return bound.getsockname()[1]


def eventually(ask: Callable[[], T], served: FlowServer, seconds: float = 180) -> T:
    """The first true answer."""
    until = time.monotonic() + seconds
    while not (answer := ask()):
        assert served.process.poll() is None, served.log.read_text()
        assert time.monotonic() < until, served.log.read_text()
        time.sleep(0.5)
    return answer
