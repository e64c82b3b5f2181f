"""The page that says how the workspace is: one file, for any browser, offline, or read aloud."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mi_core import words
from mi_core.monitoring.check import IN_WORDS, RANK, Check, written
from mi_core.monitoring.notices import Seen
from mi_core.templating import filled

NAME = "status.html"

SIGNS = {"ok": "✓", "warning": "▲", "alert": "✕", "unknown": "?"}
"""Told apart by shape, for who can't by colour."""

Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class _Row:
    """A check as the page writes it."""

    title: str
    status: str
    in_words: str
    sign: str
    value: str
    limit: str
    since: str
    sentence: str
    what_to_do: str


def write_status(
    folder: Path,
    checks: Sequence[Check],
    seen: Mapping[str, Seen],
    facts: Facts,
    *,
    as_of: datetime,
) -> Path:
    """Write the page into `folder`, whole or not at all; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / NAME
    unfinished = page.with_name(f".{page.name}.{os.getpid()}")
    unfinished.write_text(status_page(checks, seen, facts, as_of=as_of), encoding="utf-8")
    unfinished.replace(page)
    return page


def status_page(
    checks: Sequence[Check], seen: Mapping[str, Seen], facts: Facts, *, as_of: datetime
) -> str:
    """The page: what needs somebody first, then the workspace in short, then all checks.

    Parameters
    ----------
    seen
        Each check as the state has it, for since when it is so.
    facts
        Terms and what is said of them.
    """
    rows = [_row(each, seen.get(each.name), as_of) for each in checks]
    bad = [row for row in rows if RANK[row.status]]
    return filled(
        "status/status.html.j2",
        verdict=verdict(checks),
        as_of=words.moment(as_of),
        bad=sorted(bad, key=lambda row: -RANK[row.status]),
        facts=facts,
        checks=rows,
        counted=_counted(checks),
    )


def verdict(checks: Sequence[Check]) -> str:
    """The heading: how many need somebody."""
    alerts, warnings = (
        sum(each.status == status for each in checks) for status in ("alert", "warning")
    )
    parts = [words.count(number, one) for number, one in ((alerts, "alert"), (warnings, "warning"))]
    told = [part for part in parts if not part.startswith("0 ")]
    if told:
        return words.listed(told).capitalize()
    return "All is well" if any(each.status == "ok" for each in checks) else "Nothing to tell yet"


def _row(check: Check, found: Seen | None, as_of: datetime) -> _Row:
    is_known = found is not None and found.status == check.status and found.since <= as_of
    return _Row(
        title=check.title,
        status=check.status,
        in_words=IN_WORDS[check.status],
        sign=SIGNS[check.status],
        value=written(check.value, check.unit),
        limit=written(check.limit, check.unit),
        since=f"{found.since:%-d %b %Y, %H:%M}" if found and is_known else "–",
        sentence=check.sentence,
        what_to_do=check.what_to_do,
    )


def _counted(checks: Sequence[Check]) -> str:
    numbers = [
        (sum(each.status == status for each in checks), IN_WORDS[status])
        for status in ("alert", "warning", "ok", "unknown")
    ]
    told = [f"{number} {said}{_plural(said, number)}" for number, said in numbers if number]
    return f"{words.count(len(checks), 'check')}: {words.listed(told)}. Times are in UTC."


def _plural(said: str, number: int) -> str:
    return "s" if number > 1 and said in ("alert", "warning") else ""
