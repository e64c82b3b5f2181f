"""`mi definitions`: what scores are made with."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from mi_core import terminal
from mi_core.cli.app import OVERLAY, Json, WorkspacePath, definitions_in_force, workspace_folder
from mi_core.errors import DefinitionError, UnknownName

app = typer.Typer(no_args_is_help=True, help="Show what scores are made with, or check an overlay.")

LONGEST_VALUE = 100
"""Characters of a value that people are shown; JSON has all of it."""


@app.command("show")
def show(
    table: Annotated[str | None, typer.Argument(help="One table, such as signals.")] = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Show the definitions in force, the workspace's overlay included."""
    definitions = definitions_in_force(workspace)
    config = definitions.config()
    if table is None:
        shown = {"config_version": definitions.version} | {n: len(v) for n, v in config.items()}
    elif table in config:
        shown = config[table]
    else:
        raise UnknownName("table", table, config)
    terminal.write(config if as_json and table is None else shown, as_json=as_json)


@app.command("check")
def check(
    overlay: Annotated[Path | None, typer.Argument(help="Default: that of the workspace.")] = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Check an overlay, and show what it changes; puts nothing in force."""
    from mi_core.definitions import load_definitions

    before = load_definitions()
    file = overlay or workspace_folder(workspace) / OVERLAY
    if not file.exists():
        raise DefinitionError(f"There is no overlay in {file} to check.")
    now = load_definitions(file)
    changes = list(_changes("", before.config(), now.config()))
    shown = changes if as_json else [_in_short(change) for change in changes]
    terminal.write({"config_version": now.version, "changes": shown}, as_json=as_json)
    if not changes:
        terminal.note("It changes nothing.")


def _changes(path: str, before: object, now: object) -> Iterator[dict[str, object]]:
    """What `now` says otherwise than `before`, one row for each value; tables are gone through."""
    if before == now:
        return
    if isinstance(now, dict) and isinstance(before, dict | None):
        was = before or {}
        for key in dict.fromkeys((*was, *now)):
            inner = f"{path}.{key}" if path else key
            yield from _changes(inner, was.get(key), now.get(key))
    else:
        yield {"definition": path, "is": now, "was": before}


def _in_short(change: dict[str, object]) -> dict[str, object]:
    """The values as JSON has them, none rounded, and a long one cut."""
    return {
        name: value if name == "definition" or value is None else _text(value)
        for name, value in change.items()
    }


def _text(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
