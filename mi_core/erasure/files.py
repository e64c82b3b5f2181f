"""Files of the workspace, beside its stores, that may show a person."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

REPORTS, QUARANTINE, STAGING = "reports", "quarantine", "staging"


def reports_with(folder: Path, hashes: Iterable[str]) -> list[Path]:
    """Pages, and what is left of unfinished ones, in which one of the hashes stands.

    And their prints: a PDF is compressed, but says what the page beside it says. One without a page
    may be of anybody.
    """
    needles = [form.encode() for each in hashes for form in (each, each.replace("-", ""))]
    found = [
        file
        for file in _files(folder / REPORTS)
        if any(needle in _content(file) for needle in needles)
    ]
    shown = {page.with_suffix(".pdf") for page in found}
    prints = (file for file in _files(folder / REPORTS) if file.suffix == ".pdf")
    return [
        *found,
        *(each for each in prints if each in shown or not each.with_suffix(".html").exists()),
    ]


def _content(file: Path) -> bytes:
    """What is in a file; nothing where it was replaced meanwhile, by a page of now."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def quarantined(folder: Path, event_ids: Iterable[str]) -> list[dict[str, object]]:
    """The lines of quarantine files about the events."""
    ids = set(event_ids)
    return [row for file in _quarantine(folder) for row in _rows(file) if row["event_id"] in ids]


def staged(folder: Path) -> list[Path]:
    """What an interrupted ingest left: rows of anybody, that the next one stages again."""
    return _files(folder / STAGING)


def remove(folder: Path, hashes: Iterable[str], event_ids: Iterable[str]) -> None:
    """Remove all of these; reports and quarantine files about others only stay as they are."""
    for file in reports_with(folder, hashes):
        file.unlink(missing_ok=True)
    shutil.rmtree(folder / STAGING, ignore_errors=True)
    ids = set(event_ids)
    for file in _quarantine(folder):
        rows = _rows(file)
        kept = [row for row in rows if row["event_id"] not in ids]
        if len(kept) < len(rows):
            _write(file, kept)


def _write(file: Path, rows: list[dict[str, object]]) -> None:
    """Replace a quarantine file by fewer rows, or by none."""
    if not rows:
        file.unlink()
        return
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    unfinished.replace(file)


def _quarantine(folder: Path) -> list[Path]:
    return [file for file in _files(folder / QUARANTINE) if file.suffix == ".jsonl"]


def _rows(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
