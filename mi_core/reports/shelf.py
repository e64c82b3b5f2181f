"""Where a workspace's pages lie: the newest of each report, those before it, their index.

- `index.html`: all of them, to search.
- `acquisition.html`: the newest edition, under a name that stays.
- `acquisition.failed.json`, `.failed.ipynb`: the last run, if it failed.
- `history/acquisition/2024-06-30T000000.html`: each edition, by the instant that it is about.
"""

import json
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mi_core.atomic import write_whole
from mi_core.errors import ReportError
from mi_core.locks import file_lock
from mi_core.reports.manifest import Manifest, manifest_of, read_manifest

HISTORY, FAILED, FAILED_RUN = "history", ".failed.json", ".failed.ipynb"

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

    def begin(self, stem: str) -> None:
        """Note that a run begins: should nobody be left to end it, the index says so."""
        self._note(stem, "It hasn't ended, or was killed.")

    def fail(self, stem: str, why: str) -> None:
        """Note that the run failed; the index says so until one succeeds."""
        self._note(stem, why)
        self.write_index()

    def file(self, stem: str, text: str) -> Path:
        """Keep a page in the history and on the index; returns where it is.

        The newest edition is also under the name that stays. A page about an earlier instant goes
        to the history alone, so that a link to the newest never leads back in time.
        """
        with self._lock():
            as_of = manifest_of(text).as_of
            page = self.page(stem)
            if as_of is not None:
                kept = write_whole(self._edition(stem, as_of), text)
                for old in self._history(stem)[KEPT:]:
                    if old != kept:
                        old.unlink(missing_ok=True)
            newest = self.newest(stem)
            standing = newest.as_of if newest else None
            if as_of is not None and standing is not None and as_of < standing:
                page = kept
            else:
                # A print is of the page before.
                page.with_suffix(".pdf").unlink(missing_ok=True)
                write_whole(page, text)
            for note in (FAILED, FAILED_RUN):
                (self.folder / f"{stem}{note}").unlink(missing_ok=True)
            self._write_index()
        return page

    def keep_run(self, stem: str, run: bytes) -> Path:
        """Keep as far as a failed run came, for its author."""
        return write_whole(self.folder / f"{stem}{FAILED_RUN}", run)

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
        with self._lock():
            self._write_index()

    def _write_index(self) -> None:
        from mi_core.reports.index_page import index_page

        write_whole(self.folder / "index.html", index_page(self))

    def _lock(self) -> AbstractContextManager[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        return file_lock(self.folder.with_suffix(".lock"), _WAIT_SECONDS)

    def _note(self, stem: str, why: str) -> None:
        said = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "why": why}
        write_whole(self.folder / f"{stem}{FAILED}", json.dumps(said))

    def _edition(self, stem: str, as_of: datetime) -> Path:
        return self.folder / HISTORY / stem / f"{as_of.strftime(_STAMP)}.html"

    def _history(self, stem: str) -> list[Path]:
        """Newest first; files of other names are nobody's edition."""
        stamped = re.compile(r"\d{4}-\d\d-\d\dT\d{6}")
        files = (self.folder / HISTORY / stem).glob("*.html")
        return sorted((file for file in files if stamped.fullmatch(file.stem)), reverse=True)
