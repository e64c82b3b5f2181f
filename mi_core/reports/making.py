"""Making reports: what is asked for, rendered two at a time."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mi_core.errors import ReportError
from mi_core.instants import moment_of
from mi_core.reports.catalogue import find_report
from mi_core.reports.rendering import render

AT_ONCE = 2
"""Reports rendered side by side: each has a process of its own, and memory for its queries."""


@dataclass(frozen=True)
class Order:
    """A report that is asked for: `out` is where it goes, None the shelf, under `stem`.

    `is_usual` says that it is asked for as the schedule does: a failure is news to its readers.
    """

    name: str
    stem: str
    out: Path | None
    notebook: Path
    parameters: Mapping[str, object]
    is_usual: bool


def order(
    name: str,
    *,
    as_of: datetime | None = None,
    days: int | None = None,
    out: Path | None = None,
    more: Mapping[str, object] | None = None,
) -> Order:
    """What `Workspace.report` is asked for.

    Raises
    ------
    UnknownName
        There is no such report.
    BadValue
        `as_of` is no instant.
    """
    known, asked = find_report(name), dict(more or {})
    if days is not None and days != known.days:
        asked["days"] = days
    parameters = {"days": known.days, **asked}
    if as_of is not None:
        parameters["as_of"] = moment_of("as_of", as_of).replace(tzinfo=None).isoformat()
    parts = [name, *(f"{key}-{value}" for key, value in asked.items())]
    stem = re.sub(r"[^\w.-]", "_", "-".join(parts))
    is_usual = as_of is None and out is None and not asked
    return Order(name, stem, out, known.notebook, parameters, is_usual)


def rendered(
    workspace_path: Path, orders: Sequence[Order]
) -> Iterator[tuple[Order, str | ReportError]]:
    """Render what was ordered, two at a time; each page as it is done, or why there is none."""
    if len(orders) == 1:
        yield orders[0], _page_or_failure(workspace_path, orders[0])
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(_beside, workspace_path, each): each for each in orders}
        try:
            for done in as_completed(running):
                yield running[done], done.result()
        finally:
            for each in running:
                each.cancel()


def _beside(workspace_path: Path, asked: Order) -> str | ReportError:
    """As `_page_or_failure`, in a thread: closes the event loop that Jupyter leaves open there."""
    try:
        return _page_or_failure(workspace_path, asked)
    finally:
        with suppress(RuntimeError):  # It had none yet.
            asyncio.get_event_loop().close()


def _page_or_failure(workspace_path: Path, asked: Order) -> str | ReportError:
    try:
        return render(workspace_path, asked.notebook, asked.parameters)
    except ReportError as failure:
        return failure
