"""Making reports: what is asked for, rendered two at a time, with failures remembered."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mi_core.errors import ReportError
from mi_core.reports.catalogue import find_report
from mi_core.reports.rendering import render
from mi_core.reports.shelf import Shelf

AT_ONCE = 2
"""Reports rendered side by side: each has a process of its own, and memory for its queries."""


@dataclass(frozen=True)
class Order:
    """A report that is asked for; `stem` is None if it goes to no place in the workspace."""

    name: str
    stem: str | None
    target: Path
    notebook: Path
    parameters: Mapping[str, object]


def order(
    shelf: Shelf,
    name: str,
    *,
    as_of: datetime | None = None,
    days: int | None = None,
    out: Path | None = None,
    more: Mapping[str, object] | None = None,
) -> Order:
    """What `Workspace.report` is asked for."""
    known, asked = find_report(name), dict(more or {})
    moment = as_of.astimezone(UTC).replace(tzinfo=None) if as_of else None
    parameters = {"days": days or known.days, **asked}
    if moment:
        parameters["as_of"] = moment.isoformat()
    stem = re.sub(r"[^\w.-]", "_", "-".join([name, *map(str, asked.values())]))
    target = out or shelf.place(stem, moment)
    return Order(name, None if out else stem, target, known.notebook, parameters)


def made(
    workspace_path: Path, shelf: Shelf, orders: Sequence[Order]
) -> Iterator[tuple[Order, Path | ReportError]]:
    """Render what was ordered; each with its page, or why there is none, as it ends."""
    if len(orders) == 1:
        yield orders[0], _page_or_failure(workspace_path, shelf, orders[0])
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(_beside, workspace_path, shelf, each): each for each in orders}
        try:
            for done in as_completed(running):
                yield running[done], done.result()
        finally:
            for each in running:
                each.cancel()


def _beside(workspace_path: Path, shelf: Shelf, asked: Order) -> Path | ReportError:
    """As `_page_or_failure`, in a thread: closes the event loop that Jupyter leaves open there."""
    try:
        return _page_or_failure(workspace_path, shelf, asked)
    finally:
        with suppress(RuntimeError):  # It had none yet.
            asyncio.get_event_loop().close()


def _page_or_failure(workspace_path: Path, shelf: Shelf, asked: Order) -> Path | ReportError:
    try:
        with shelf.run(asked.stem) if asked.stem else nullcontext():
            return render(workspace_path, asked.notebook, asked.target, asked.parameters)
    except ReportError as failure:
        return failure
