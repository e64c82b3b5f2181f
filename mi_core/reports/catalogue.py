"""Which reports there are: each a notebook `report-<name>.ipynb`; its metadata says what it is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from mi_core.errors import UnknownName

DAILY, WEEKLY = "daily", "weekly"


@dataclass(frozen=True)
class Report:
    """What a report is about: the question it answers, how often it is due, its days."""

    name: str
    title: str
    question: str
    cadence: str
    days: int
    notebook: Path


@cache
def catalogue() -> Mapping[str, Report]:
    """Name of a report → what it is; those due daily first."""
    inside = Path(str(resources.files("mi_core"))) / "notebooks"
    folder = inside if inside.is_dir() else inside.parent.parent / "notebooks"
    found = [_report(file) for file in folder.glob("report-*.ipynb")]
    return {each.name: each for each in sorted(found, key=lambda each: (each.cadence, each.name))}


def find_report(name: str) -> Report:
    """The report of that name, such as `acquisition`.

    Raises
    ------
    UnknownName
        There is no such report.
    """
    known = catalogue()
    if name not in known:
        raise UnknownName("report", name, known)
    return known[name]


def _report(notebook: Path) -> Report:
    metadata = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]
    about = metadata["report"]
    return Report(
        notebook.stem.removeprefix("report-"),
        metadata["title"],
        about["question"],
        about["cadence"],
        about["days"],
        notebook,
    )
