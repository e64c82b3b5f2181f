"""What is wrong with the environment or a workspace, in checks that each say one thing."""

import os
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mi_core.errors import MiError
from mi_core.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from mi_core.enrichment.service import Status

FREE_GIB = 2
"""Below so much free disk a scoring or a maintenance may not end."""

UNKNOWN_SHARE = 0.1
"""From this share of events on, scores miss too much of what people did."""

PRICES_AGE = timedelta(days=183)
"""Prices older than this may have changed."""

PRICES_TOO_OLD = timedelta(days=365)
"""The budget caps are not to be trusted with prices older than this."""


@dataclass(frozen=True)
class Check:
    """One thing looked at; `finding` says what was found, and what to do if it isn't well."""

    name: str
    is_well: bool
    finding: str


def examine(path: Path, *, today: date | None = None) -> list[Check]:
    """Look at the environment, and at the workspace in `path`; makes none.

    `today` (default: the day in UTC) is what the age of prices counts from.
    """
    day = today or datetime.now(UTC).date()
    checks = [_python(), _disk(path)]
    if not path.exists():
        return [*checks, Check("workspace", False, f"none in {path}; make one with mi init")]
    try:
        with open_workspace(path) as workspace:
            return checks + list(_workspace(workspace, day))
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


def _workspace(workspace: Workspace, today: date) -> Iterator[Check]:
    yield Check(
        "workspace", True, f"{workspace.path}, lake snapshot {workspace.warehouse.snapshot()}"
    )
    yield Check("definitions", True, f"version {workspace.definitions.version}")
    yield _keys(workspace)
    health = workspace.warehouse.relation("reports/health").row(0, named=True)
    yield _events(health)
    yield _taxonomy(health, workspace.path)
    yield _scores(health, workspace.definitions.version)
    yield from _erasures(workspace)
    yield from _enrichment(workspace, today)


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


def _erasures(workspace: Workspace) -> Iterator[Check]:
    """Only where one is half done: nobody need hear that nobody was erased."""
    from mi_core.erasure import unfinished

    if half := len(unfinished(workspace.state)):
        which = "an erasure is" if half == 1 else f"{half} erasures are"
        yield Check("erasures", False, f"{which} half done; finish with mi maintain")


def _enrichment(workspace: Workspace, today: date) -> Iterator[Check]:
    """Who answers; where that is somebody who is paid, how they fare and what they cost."""
    status = workspace.enrichment.status()
    answered = ", ".join(f"{step}: {name}" for step, name in status.answered_by.items())
    yield Check("enrichment", True, answered)
    asked = set(status.answered_by.values())
    rows = [row for row in status.providers if row["provider"] in asked]
    if rows:
        yield _providers(rows)
    if rows or _held_micros(status):
        yield _money(status)
    rules = workspace.definitions.enrichment
    priced_on = {name: price.priced_on for name, price in rules.providers if name in asked}
    if priced_on:
        yield _prices(priced_on, today)


def _providers(rows: Sequence[Mapping[str, Any]]) -> Check:
    shut = [row for row in rows if row.get("is_shut")]
    down = [row for row in rows if row["is_down"] and row not in shut]
    found = [f"{row['provider']} is shut: {_reason(row)}" for row in shut]
    found += [f"{row['provider']} is down: {_reason(row)}" for row in down]
    if shut:
        names = " or ".join(row["provider"] for row in shut)
        found.append(f"mend account or key, then mi enrich reopen {names}; or unset the key")
    return Check("providers", not shut, "; ".join(found) or "all of them may be asked")


def _reason(row: Mapping[str, Any]) -> str:
    return str(row["reason"] or "it gave no reason").removesuffix(".")


def _money(status: "Status") -> Check:
    calls, held = sum(row["open_calls"] for row in status.providers), _held_micros(status)
    found = [(status.budget.alert or "the budget is not nearly spent").removesuffix(".")]
    if calls:
        found.append(
            f"{calls:,} calls whose cost isn't known hold ${held / 1e6:,.4f}: they are under way,"
            " or wait for mi enrich settle"
        )
    return Check("enrichment money", True, "; ".join(found))


def _held_micros(status: "Status") -> int:
    return sum(int(row["held_micros"]) for row in status.providers)


def _prices(priced_on: Mapping[str, date], today: date) -> Check:
    old = {name: day for name, day in priced_on.items() if today - day > PRICES_AGE}
    if not old:
        return Check("prices", True, f"of {min(priced_on.values())} or later")
    named = ", ".join(f"{name} of {day}" for name, day in old.items())
    is_fit = all(today - day <= PRICES_TOO_OLD for day in old.values())
    return Check("prices", is_fit, f"{named}; look at the sources again")
