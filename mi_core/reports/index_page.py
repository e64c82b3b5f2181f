"""The page that lists all reports: the newest of each, those before it, and what failed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mi_core import words
from mi_core.reports.catalogue import DAILY, Report, catalogue
from mi_core.reports.manifest import Manifest
from mi_core.reports.shelf import Edition, Failure, Page, Shelf
from mi_core.templating import filled
from mi_core.words import moment

Link = Callable[[str], str]

_GROUPS = ("Every day", "Every week", "On request")
_EVERYWHERE = ("What the words mean", "What to do")
"""Headings that tell no report from another."""

_AS_USUAL = ("workspace", "as_of", "snapshot", "config")
"""Parameters that every report has."""


@dataclass(frozen=True)
class _Card:
    """What the index shows of one report."""

    stem: str
    title: str
    question: str
    group: str
    link: str | None
    dates: str
    summary: list[str]
    topics: list[str]
    terms: list[str]
    history: list[tuple[str, str]]
    failure: str
    why: str


def index_page(shelf: Shelf, link: Link = str) -> str:
    """The index as one self-contained page.

    Parameters
    ----------
    link
        Path of a page from the folder of reports → where a link to it leads.
    """
    cards = [_card(shelf, stem, link) for stem in shelf.stems()]
    groups = {
        name: sorted((card for card in cards if card.group == name), key=lambda card: card.title)
        for name in _GROUPS
    }
    status = shelf.folder / "status.html"
    return filled(
        "index/index.html.j2",
        groups={name: cards for name, cards in groups.items() if cards},
        status=link("status.html") if status.exists() else None,
    )


def _card(shelf: Shelf, stem: str, link: Link) -> _Card:
    page, failure = shelf.newest(stem), shelf.failure(stem)
    manifest = page.manifest if page else None
    known = catalogue().get(manifest.report if manifest else stem)
    is_plain = known is not None and known.name == stem
    return _Card(
        stem=stem,
        title=_title(manifest, known) if manifest else known.title if known else stem,
        question=known.question if known else "",
        group=_GROUPS[_group(known.cadence) if known and is_plain else 2],
        link=link(f"{stem}.html") if page else None,
        dates=_dates(page) if page else "",
        summary=manifest.summary[:3] if manifest else [],
        topics=[each for each in manifest.topics if each not in _EVERYWHERE] if manifest else [],
        terms=manifest.terms if manifest else [],
        history=[_past(shelf.folder, each, link) for each in _before(shelf.editions(stem), page)],
        failure=_failure(failure, page) if failure else "",
        why=failure.why if failure else "",
    )


def _group(cadence: str) -> int:
    return 0 if cadence == DAILY else 1


def _title(manifest: Manifest, known: Report | None) -> str:
    """The title, with what was asked for beside the usual."""
    usual = {"days": known.days} if known else {}
    asked = [
        f"{words.plain(name)}: {value}"
        for name, value in manifest.parameters.items()
        if name not in _AS_USUAL and value not in (None, usual.get(name))
    ]
    return f"{manifest.title} ({', '.join(asked)})" if asked else manifest.title


def _dates(page: Page) -> str:
    """`As of 30 June 2024, 00:00 UTC · made 30 June 2024, 00:10 UTC`."""
    about = f"As of {moment(page.as_of)} · " if page.as_of else ""
    return f"{about}made {moment(page.made_at)}"


def _before(editions: list[Edition], page: Page | None) -> list[Edition]:
    newest = page.as_of if page else None
    return [each for each in editions if newest is None or each.as_of < _whole(newest)]


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=0, tzinfo=None)


def _past(folder: Path, edition: Edition, link: Link) -> tuple[str, str]:
    return link(edition.file.relative_to(folder).as_posix()), moment(edition.as_of)


def _failure(failure: Failure, page: Page | None) -> str:
    shown = "The page before it stands." if page else "There is no page yet."
    return f"The run of {moment(failure.at)} came to no page. {shown}"
