"""Deliveries that were interrupted and run again, or run twice at once, end in the same state."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import OpenWorkspace
from exports import Content, event, identify, lake_content, write_export
from stores import new_workspace

from mi_core.ingest import delivery, identity, publish
from mi_core.settings import load_settings
from mi_core.workspace import Workspace

KEYS = "k" * 32

INGEST = """
import os, signal, sys
from mi_core import open_workspace
from mi_core.warehouse import Warehouse

folder, exports, fatal = sys.argv[1:]
execute = Warehouse._execute

def execute_or_die(self, name, query, params):
    if fatal and fatal in query:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(self, name, query, params)

with open_workspace(folder) as workspace:
    Warehouse._execute = execute_or_die
    workspace.ingest([exports])
"""

MOMENTS = (
    "copy (",  # the first file goes through the door
    "insert into lake.analytics_events",  # the classification is stored
    "drop view if exists staged",  # the delivery is stored
)
"""The statements before which a delivery is killed, in turn."""


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files over two months, with an event in both, a late link and a rejected row."""
    folder = tmp_path_factory.mktemp("exports")
    visit = [event("$pageview", "anon", f"05-0{day} 10:00", session=f"s{day}") for day in (1, 2)]
    rest = [identify("ann", "anon", "06-01 10:00"), event("purchase", "ann", "06-02 10:00")]
    write_export(folder / "a.parquet", visit)
    write_export(folder / "b.jsonl.gz", [visit[1], *rest, event(who="guest")])
    return folder


def state(workspace: Workspace) -> tuple[Content, list[tuple[object, ...]], list[str]]:
    """Everything that a delivery leaves behind."""
    batches = workspace.warehouse.sql("from lake.ingest_batch order by all").fetchall()
    files = [p.relative_to(workspace.path) for p in workspace.path.rglob("*") if p.is_file()]
    made = [str(path) for path in files if path.parts[0] in ("staging", "quarantine")]
    return lake_content(workspace), batches, sorted(made)


@pytest.fixture(scope="module")
def undisturbed(exports: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    folder = tmp_path_factory.mktemp("undisturbed")
    with new_workspace(folder, load_settings(hash_keys=KEYS)) as workspace:
        workspace.ingest([exports])
        return state(workspace)


STEPS: list[tuple[object, str]] = [
    (delivery, "_check"),
    (delivery, "tally"),
    (delivery, "publish"),
    (identity, "_store"),
    (publish, "type_events"),
    (publish, "write_milestones"),
]


def test_a_delivery_that_failed_anywhere_and_ran_again(
    fresh: OpenWorkspace,
    exports: Path,
    undisturbed: tuple[object, ...],
    monkeypatch: pytest.MonkeyPatch,
):
    workspace = fresh(hash_keys=KEYS)
    for module, step in STEPS:
        with monkeypatch.context() as patch:
            failing(patch, module, step)
            with pytest.raises(KeyboardInterrupt):
                workspace.ingest([exports])
        assert workspace.sql("select count(*) from lake.identity_alias").item() == 0
    workspace.ingest([exports])

    assert state(workspace) == undisturbed


def failing(patch: pytest.MonkeyPatch, module: object, step: str) -> None:
    """Let a step be interrupted when it is done."""
    original: Callable[..., object] = getattr(module, step)

    def interrupted(*args: object, **kwargs: object) -> None:
        original(*args, **kwargs)
        raise KeyboardInterrupt

    patch.setattr(module, step, interrupted)


def test_a_delivery_killed_at_many_moments_and_run_again(
    fresh: OpenWorkspace,
    exports: Path,
    undisturbed: tuple[object, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("MI_HASH_KEYS", KEYS)
    folder = tmp_path / "killed"
    for fatal in MOMENTS:
        command = [sys.executable, "-c", INGEST, str(folder), str(exports), fatal]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    workspace = fresh(folder)
    workspace.ingest([exports])

    assert state(workspace) == undisturbed


def test_two_processes_with_the_same_files_at_once(
    fresh: OpenWorkspace,
    exports: Path,
    undisturbed: tuple[object, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("MI_HASH_KEYS", KEYS)
    folder = tmp_path / "shared"
    command = [sys.executable, "-c", INGEST, str(folder), str(exports), ""]
    both = [subprocess.Popen(command) for _ in range(2)]

    assert [process.wait() for process in both] == [0, 0]
    assert state(fresh(folder)) == undisturbed
