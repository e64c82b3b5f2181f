"""Several processes at work on one workspace, some of them killed."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from mi_core.settings import Settings
from mi_core.workspace import open_workspace

ROLES = Path(__file__).with_name("concurrent_roles.py")
KILLS = {"sqlite": 2, "postgresql": 1}
SECONDS = 0.8
"""Between kills, and before the first and after the last."""


class Crew:
    """Processes in their roles, each with a log of its own."""

    def __init__(self, folder: Path, logs: Path, settings: Settings) -> None:
        self.folder, self.logs = folder, logs
        urls = {"MI_CATALOG_URL": settings.catalog_url, "MI_STATE_URL": settings.state_url}
        self.env = os.environ | {k: url.get_secret_value() for k, url in urls.items() if url}
        self.env |= {"MI_THREADS": "1"}
        self.at_work: list[tuple[str, Path, subprocess.Popen[str]]] = []
        self.errors: list[str] = []

    def start(self, role: str) -> None:
        log = self.logs / f"{role}-{len(list(self.logs.iterdir()))}.log"
        log.touch()
        command = [sys.executable, str(ROLES), role, str(self.folder), str(log)]
        process = subprocess.Popen(command, env=self.env, stderr=subprocess.PIPE, text=True)
        self.at_work.append((role, log, process))

    def all_at_work(self, patience: float = 90) -> None:
        """Wait until each has done something."""
        until = time.monotonic() + patience
        while time.monotonic() < until and not all(
            log.stat().st_size for _, log, _ in self.at_work
        ):
            time.sleep(0.05)

    def replace(self, role: str) -> None:
        """Kill the first process in the role, whatever it is doing, and start another."""
        found = next(each for each in self.at_work if each[0] == role)
        self.at_work.remove(found)
        os.kill(found[2].pid, signal.SIGKILL)
        self.errors.append(found[2].communicate()[1])
        self.start(role)

    def finish(self) -> None:
        (self.logs / "stop").touch()
        self.errors += [process.communicate()[1] for _, _, process in self.at_work]

    def said(self, role: str) -> list[str]:
        """The whole lines of all logs of a role: the last may have been cut off by a kill."""
        texts = [log.read_text() for log in self.logs.glob(f"{role}-*.log")]
        return [line for text in texts for line in text.split("\n")[:-1]]


@pytest.mark.xdist_group("concurrency")
@pytest.mark.timeout(300)
def test_nothing_is_lost_or_repeated_when_many_work_and_some_are_killed(
    any_settings: Settings, tmp_path: Path
):
    engine = "postgresql" if any_settings.catalog_url else "sqlite"
    logs = tmp_path / "logs"
    logs.mkdir()
    with open_workspace(tmp_path / "workspace", settings=any_settings) as workspace:
        crew = Crew(workspace.path, logs, any_settings)
        for role in ("write", "write", "refresh", "read", "look"):
            crew.start(role)
        crew.all_at_work()
        for _ in range(KILLS[engine]):
            time.sleep(SECONDS)
            crew.replace("write")
            crew.replace("refresh")
        time.sleep(SECONDS)
        crew.finish()
        workspace.drain()
        stored = workspace.warehouse.sql("select event_id from lake.analytics_events").fetchall()

    times = Counter(str(event_id) for (event_id,) in stored)
    acknowledged = {event_id for line in crew.said("write") for event_id in line.split()}
    done = {role: len(crew.said(role)) for role in ("write", "refresh", "read", "look")}
    print(f"{engine}: {done}, {len(acknowledged)} acknowledged, {len(times)} stored")

    assert "".join(crew.errors) == ""
    assert all(done.values())
    assert acknowledged - times.keys() == set()
    assert [event_id for event_id, count in times.items() if count > 1] == []
