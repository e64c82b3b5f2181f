"""What a page was made from, carried in the page itself: enough to make it again, and to compare.

A page holds its manifest in its head, so that a page somebody kept is all that is needed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from mi_core.errors import ReportError

# In the order that nbconvert gives attributes.
OPENING, CLOSING = '<script id="manifest" type="application/json">', "</script>"
_CHUNK = 1 << 16
_APART = {"figures", "of_state", "summary", "title", "packages"}


class Manifest(BaseModel):
    """What a page was made from. `figures` holds all its figures, by where they are in it.

    Those named in `of_state` lie in the state, which keeps no history: a page made again has them
    as they are then.
    """

    model_config = ConfigDict(frozen=True)

    report: str
    title: str
    parameters: dict[str, Any]
    summary: list[str] = []
    topics: list[str] = []
    terms: list[str] = []
    as_of: datetime | None = None
    days: int | None = None
    config_version: str | None = None
    definitions: str | None = None
    lake_snapshot: int | None = None
    packages: dict[str, str] = {}
    figures: dict[str, Any] = {}
    of_state: list[str] = []

    def written(self) -> str:
        """As JSON that may stand in a script of a page."""
        return self.model_dump_json().replace("<", "\\u003c")


@dataclass(frozen=True)
class Difference:
    """Something that two manifests don't agree on; None is what one of them lacks.

    What is of the state differs as soon as work has gone on, and says nothing of the page.
    """

    what: str
    before: object
    after: object
    is_of_state: bool = False


def read_manifest(path: Path) -> Manifest:
    """The manifest of a page, or a manifest kept as JSON.

    Raises
    ------
    ReportError
        The file can't be read, or is neither.
    """
    try:
        text = _head(path)
    except OSError as error:
        raise ReportError(f"{path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ReportError(f"{path} is neither a report's page nor a manifest.") from None
    try:
        return Manifest.model_validate_json(text)
    except ValidationError:
        raise ReportError(
            f"{path} is no page that mi report made, nor the manifest of one: only a page that "
            "ends with what it was made from can be made again."
        ) from None


def manifest_of(page: str) -> Manifest:
    """The manifest in the text of a page that was just rendered."""
    return Manifest.model_validate_json(page.split(OPENING, 1)[1].split(CLOSING, 1)[0])


def compare(before: Manifest, after: Manifest) -> list[Difference]:
    """What differs between two pages of a report: how they were made, then figure by figure.

    Raises
    ------
    ReportError
        They are of two reports.
    """
    if before.report != after.report:
        raise ReportError(
            f"One page is of the report {before.report}, the other of {after.report}: only pages "
            "of one report can be compared."
        )
    old, new = dict(_facts(before)), dict(_facts(after))
    of_state = {*_of_state(before), *_of_state(after)}
    return [
        Difference(what, old.get(what), new.get(what), what in of_state)
        for what in {**old, **new}
        if old.get(what) != new.get(what)
    ]


def text_of(markup: str) -> str:
    """What a reader sees of simple markup."""
    kept, depth = [], 0
    for character in markup:
        depth += character == "<"
        if not depth:
            kept.append(character)
        depth -= character == ">"
    return " ".join(unescape("".join(kept)).split())


def _head(path: Path) -> str:
    """The manifest's text: of a page, without reading on to the end of it."""
    with path.open(encoding="utf-8") as file:
        text = file.read(_CHUNK)
        if OPENING not in text:
            return text + file.read()
        text = text.split(OPENING, 1)[1]
        while CLOSING not in text and (more := file.read(_CHUNK)):
            text += more
    return text.split(CLOSING, 1)[0]


def _of_state(manifest: Manifest) -> Iterator[str]:
    """Where the figures of the state are."""
    kept = {name: each for name, each in manifest.figures.items() if name in manifest.of_state}
    return (what for what, _ in _flat("", kept))


def _facts(manifest: Manifest) -> Iterator[tuple[str, object]]:
    plain = manifest.model_dump(mode="json", exclude=_APART)
    yield from _flat("", plain)
    yield from _flat("made with ", manifest.packages)
    yield from _flat("", manifest.figures)


def _flat(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Each plain value with where it is, such as `funnel.Purchased.people`."""
    if isinstance(value, Mapping):
        within = f"{name}." if name and not name.endswith(" ") else name
        for key, each in value.items():
            yield from _flat(f"{within}{key}", each)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield f"{name}.rows", len(value)
        for label, each in zip(_labels(value), value, strict=True):
            yield from _flat(f"{name}.{label}", each)
    else:
        yield name, value


def _labels(rows: Sequence[object]) -> list[str]:
    """What tells the rows of a table apart: its columns of text, or else their numbers."""
    if rows and all(isinstance(row, Mapping) for row in rows):
        labels = [_label(row) for row in rows if isinstance(row, Mapping)]
        if len(set(labels)) == len(labels):
            return labels
    return [str(number) for number in range(1, len(rows) + 1)]


def _label(row: Mapping[str, object]) -> str:
    return " / ".join(value for value in row.values() if isinstance(value, str))
