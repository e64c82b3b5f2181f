"""`mi definitions`: what scores are made with."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mi_core import terminal
from mi_core.cli.app import OVERLAY, Json, WorkspacePath, definitions_in_force, workspace_folder
from mi_core.errors import DefinitionError, UnknownName

if TYPE_CHECKING:
    from mi_core.definitions import Change

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
    from mi_core.definitions import changes, load_definitions

    before = load_definitions()
    file = overlay or workspace_folder(workspace) / OVERLAY
    if not file.exists():
        raise DefinitionError(f"There is no overlay in {file} to check.")
    now = load_definitions(file)
    found = [in_order(change) for change in changes(before, now)]
    shown = found if as_json else [in_short(change) for change in found]
    terminal.write({"config_version": now.version, "changes": shown}, as_json=as_json)
    if not found:
        terminal.note("It changes nothing.")


def in_order(change: "Change") -> dict[str, object]:
    """A change as a row of a table."""
    return {"definition": change.definition, "is": change.now, "was": change.before}


def in_short(change: dict[str, object]) -> dict[str, object]:
    """The values as JSON has them, none rounded, and a long one cut."""
    return {
        name: value if name == "definition" or value is None else _text(value)
        for name, value in change.items()
    }


def _text(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
