"""What is wrong with the environment or a workspace, in checks that each say one thing."""

import os
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mi_core.errors import MiError
from mi_core.workspace import Workspace, open_workspace

FREE_GIB = 2
"""Below so much free disk a scoring or a maintenance may not end."""

UNKNOWN_SHARE = 0.1
"""From this share of events on, scores miss too much of what people did."""


@dataclass(frozen=True)
class Check:
    """One thing looked at; `finding` says what was found, and what to do if it isn't well."""

    name: str
    is_well: bool
    finding: str


def examine(path: Path) -> list[Check]:
    """Look at the environment, and at the workspace in `path`; makes none."""
    checks = [_python(), _disk(path)]
    if not path.exists():
        return [*checks, Check("workspace", False, f"none in {path}; make one with mi init")]
    try:
        with open_workspace(path) as workspace:
            return checks + list(_workspace(workspace))
    except MiError as error:
        return [*checks, Check("workspace", False, str(error))]


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    is_fit = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Check("python", is_fit, version if is_fit else f"{version}; 3.11 to 3.13 is needed")


def _disk(path: Path) -> Check:
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free / 2**30
    return Check("disk", free >= FREE_GIB, f"{free:,.0f} GiB free, {FREE_GIB} are needed")


def _workspace(workspace: Workspace) -> Iterator[Check]:
    yield Check(
        "workspace", True, f"{workspace.path}, lake snapshot {workspace.warehouse.snapshot()}"
    )
    yield Check("definitions", True, f"version {workspace.definitions.version}")
    yield _keys(workspace)
    health = workspace.warehouse.relation("reports/health").row(0, named=True)
    yield _events(health)
    yield _taxonomy(health, workspace.path)
    yield _scores(health, workspace.definitions.version)


def _keys(workspace: Workspace) -> Check:
    if workspace.settings.hash_keys:
        return Check("hash keys", True, "from MI_HASH_KEYS")
    file = workspace.path / "hash.keys"
    if os.name == "posix" and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Check("hash keys", False, f"others can read {file}; run chmod 600 on it")
    return Check("hash keys", True, f"{file}; back it up")


def _events(health: Mapping[str, Any]) -> Check:
    if not health["events"]:
        return Check("events", True, "none yet; take some in with mi ingest PATH")
    found = f"{health['events']:,} of {health['people']:,} people, until {health['last_event_at']}"
    waiting = (
        f"; {health['waiting_events']:,} wait in the inbox" if health["waiting_events"] else ""
    )
    return Check("events", True, found + waiting)


def _taxonomy(health: Mapping[str, Any], path: Path) -> Check:
    share = health["unknown_events"] / max(1, health["events"])
    found = f"{share:.0%} of the events have a name that it doesn't know"
    if share < UNKNOWN_SHARE:
        return Check("taxonomy", True, found)
    return Check("taxonomy", False, f"{found}; say what they mean in {path / 'overlay.toml'}")


def _scores(health: Mapping[str, Any], config_version: str) -> Check:
    if health["scored_as_of"] is None:
        return Check("scores", not health["events"], "none yet; make them with mi score")
    if health["scored_config"] != config_version:
        return Check("scores", False, "made with other definitions; make them again with mi score")
    return Check("scores", True, f"as of {health['scored_as_of']}")
