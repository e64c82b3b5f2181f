"""Reads the package's TOML files, with a workspace's overlay on top.

Everything is checked before it is used, and every complaint names the file, the key, the value and
what is allowed.
"""

import csv
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mi_core.definitions.checks import Problem, problems
from mi_core.definitions.tables import OF_NO_SCORE, Definitions
from mi_core.errors import DefinitionError

Document = dict[str, Any]


@dataclass(frozen=True)
class _Source:
    """A file and what it says."""

    name: str
    document: Document


def load_definitions(
    overlay: Path | None = None,
    *,
    above: Mapping[str, Any] | None = None,
    above_name: str = "above",
) -> Definitions:
    """The package's definitions, with those of the TOML file `overlay` on top.

    And `above` on top of these, an overlay of plain values that errors call `above_name`.

    Raises
    ------
    DefinitionError
        A file can't be read, or says something that isn't allowed; all complaints at once.
    """
    sources = _package_sources()
    if overlay is not None:
        sources.append(_Source(overlay.name, _read(overlay, overlay.name)))
    if above:
        sources.append(_Source(above_name, dict(above)))
    document: Document = {}
    for source in sources:
        document = merged(document, source.document)
    return _checked(json.dumps(document, default=str), sources)


def definitions_from_config(body: str) -> Definitions:
    """The definitions that `Definitions.config()` gave, from their JSON text.

    What an older version kept of them had no prices or no limits; those are the package's.
    """
    stored = json.loads(body)
    missing = set(OF_NO_SCORE) - stored.keys()
    for source in _package_sources() if missing else ():
        stored |= {name: source.document[name] for name in missing & source.document.keys()}
    text = json.dumps(stored, default=str)
    return _checked(text, [_Source("stored configuration", stored)])


def _package_sources() -> list[_Source]:
    folder = resources.files("mi_core.definitions")
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    tables = [_Source(file.name, _read(file, file.name)) for file in files if _is_toml(file)]
    listed = folder / "referrers_ga4.csv"
    hosts = {"channels": {"listed_hosts": _read_hosts(listed)}}
    return [*tables, _Source(listed.name, hosts)]


def _is_toml(file: Traversable) -> bool:
    return file.name.endswith(".toml")


def _read(file: Traversable, name: str) -> Document:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DefinitionError(f"{name}: can't be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise DefinitionError(f"{name}: is not UTF-8 text, at byte {error.start}.") from None
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{name}: is not valid TOML: {error}.") from None


def _read_hosts(file: Traversable) -> dict[str, str]:
    lines = (line for line in file.read_text(encoding="utf-8").splitlines() if line[:1] != "#")
    return {row["host"]: row["platform"] for row in csv.DictReader(lines)}


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> Document:
    """Tables are merged key by key; any other value of `above` replaces that of `below`."""
    both = dict(below)
    for key, value in above.items():
        under = below.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            value = merged(under, value)
        both[key] = value
    return both


def _checked(body: str, sources: Sequence[_Source]) -> Definitions:
    try:
        definitions = Definitions.model_validate_json(body)
    except ValidationError as error:
        raise _complaint(map(_problem, error.errors()), sources) from None
    if found := list(problems(definitions)):
        raise _complaint(found, sources)
    return definitions


def _complaint(found: Iterable[Problem], sources: Sequence[_Source]) -> DefinitionError:
    lines = (f"{_origin(path, sources)}: {'.'.join(path)} {text}" for path, text in found)
    return DefinitionError("\n".join(lines))


def _origin(path: Sequence[str], sources: Sequence[_Source]) -> str:
    """The file that says most of `path`; the overlay where several say the same."""
    newest_first = reversed(sources)
    return max(newest_first, key=lambda source: _depth(source.document, path)).name


def _depth(document: Any, path: Sequence[str]) -> int:
    for depth, key in enumerate(path):
        if not isinstance(document, dict) or key not in document:
            return depth
        document = document[key]
    return len(path)


def _problem(error: ErrorDetails) -> Problem:
    """What pydantic found, as a sentence about a key."""
    path = tuple(str(part) for part in error["loc"])
    match error["type"]:
        case "extra_forbidden":
            return path, _unknown_key(path)
        case "missing":
            return path, "is missing."
        case _:
            detail = error["msg"].removeprefix("Input should be ")
            return path, f"is {error['input']!r}, but should be {detail}."


def _unknown_key(path: Sequence[str]) -> str:
    allowed = _keys_beside(path)
    near = get_close_matches(path[-1], allowed, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    return f"is no key that is known here{hint} Allowed: {', '.join(allowed)}."


def _keys_beside(path: Sequence[str]) -> list[str]:
    """The keys that the model of `path`'s parent has."""
    model: Any = Definitions
    for key in path[:-1]:
        model = model.model_fields[key].annotation if _is_model(model) else get_args(model)[-1]
    return sorted(model.model_fields)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
