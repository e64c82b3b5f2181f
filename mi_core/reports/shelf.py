"""Where a workspace's pages lie: the newest of each report, those before it, their index.

- `index.html`: all of them, to search.
- `acquisition.html`: the newest edition, under a name that stays.
- `acquisition.failed.json`, `.failed.ipynb`: the last run, if it failed.
- `history/acquisition/2024-06-30T000000.html`: each edition, by the instant that it is about.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mi_core.errors import ReportError
from mi_core.locks import file_lock
from mi_core.reports.manifest import Manifest, read_manifest

HISTORY, FAILED = "history", ".failed.json"

KEPT = 60
"""Editions of a report that are kept; the oldest go."""

_WAIT_SECONDS = 60


_STAMP = "%Y-%m-%dT%H%M%S"

NO_REPORTS = ("index", "status")
"""Pages beside the reports."""


@dataclass(frozen=True)
class Page:
    """The newest edition of a report; `manifest` is None if its page has none that can be read."""

    file: Path
    manifest: Manifest | None
    made_at: datetime

    @property
    def as_of(self) -> datetime | None:
        return self.manifest.as_of if self.manifest else None


@dataclass(frozen=True)
class Edition:
    """A page of the history, and the instant that it is about."""

    file: Path
    as_of: datetime


@dataclass(frozen=True)
class Failure:
    """A run that made no page."""

    stem: str
    at: datetime
    why: str


class Shelf:
    """The pages in the folder `reports/` of a workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def page(self, stem: str) -> Path:
        """The newest edition of a report, under the name that stays."""
        return self.folder / f"{stem}.html"

    def place(self, stem: str, as_of: datetime | None) -> Path:
        """Where a page about `as_of` belongs: a link to the newest never leads back in time."""
        newest = self.newest(stem)
        newest_as_of = newest.as_of if newest else None
        if as_of is None or newest_as_of is None or newest_as_of <= as_of:
            return self.page(stem)
        return self._edition(stem, as_of)

    @contextmanager
    def run(self, stem: str) -> Iterator[None]:
        """Remember if what runs in the block fails; the index says so, whatever comes of it."""
        note = self.folder / f"{stem}{FAILED}"
        try:
            yield
        except ReportError as error:
            self.folder.mkdir(parents=True, exist_ok=True)
            said = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "why": str(error)}
            _write(note, json.dumps(said))
            self.write_index()
            raise
        note.unlink(missing_ok=True)

    def file(self, stem: str, page: Path) -> None:
        """Keep a page in the history and in the index."""
        # A print is of the page before.
        page.with_suffix(".pdf").unlink(missing_ok=True)
        as_of = read_manifest(page).as_of
        if as_of is not None:
            kept = self._edition(stem, as_of)
            if kept != page:
                kept.parent.mkdir(parents=True, exist_ok=True)
                unfinished = kept.with_name(f".{kept.name}.{os.getpid()}")
                shutil.copyfile(page, unfinished)
                unfinished.replace(kept)
            for old in self._history(stem)[KEPT:]:
                old.unlink(missing_ok=True)
        self.write_index()

    def stems(self) -> list[str]:
        """The reports of which there is a page or a failed run, by name."""
        pages = {file.stem for file in self.folder.glob("*.html")} - {*NO_REPORTS}
        failed = {file.name.removesuffix(FAILED) for file in self.folder.glob(f"*{FAILED}")}
        return sorted(pages | failed)

    def editions(self, stem: str) -> list[Edition]:
        """The pages of a report that are kept, newest first."""
        return [Edition(file, datetime.strptime(file.stem, _STAMP)) for file in self._history(stem)]

    def newest(self, stem: str) -> Page | None:
        """The page under the name that stays; None where there is none."""
        file = self.page(stem)
        if not file.exists():
            return None
        made_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        try:
            return Page(file, read_manifest(file), made_at)
        except ReportError:
            return Page(file, None, made_at)

    def failure(self, stem: str) -> Failure | None:
        """The last run, if it failed."""
        note = self.folder / f"{stem}{FAILED}"
        if not note.exists():
            return None
        said = json.loads(note.read_text(encoding="utf-8"))
        return Failure(stem, datetime.fromisoformat(said["at"]), said["why"])

    def write_index(self) -> None:
        """Write `index.html` anew, of what is there now."""
        from mi_core.reports.index_page import index_page

        with file_lock(self.folder.with_suffix(".lock"), _WAIT_SECONDS):
            _write(self.folder / "index.html", index_page(self))

    def _edition(self, stem: str, as_of: datetime) -> Path:
        return self.folder / HISTORY / stem / f"{as_of.strftime(_STAMP)}.html"

    def _history(self, stem: str) -> list[Path]:
        """Newest first; files of other names are nobody's edition."""
        stamped = re.compile(r"\d{4}-\d\d-\d\dT\d{6}")
        files = (self.folder / HISTORY / stem).glob("*.html")
        return sorted((file for file in files if stamped.fullmatch(file.stem)), reverse=True)


def _write(path: Path, text: str) -> None:
    """Write all of it, or leave what was there."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
