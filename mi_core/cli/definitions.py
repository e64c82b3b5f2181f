"""`mi definitions`: what scores are made with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from mi_core import terminal
from mi_core.cli.app import OVERLAY, Json, WorkspacePath, definitions_in_force, workspace_folder
from mi_core.errors import DefinitionError, UnknownName

app = typer.Typer(no_args_is_help=True, help="Show what scores are made with, or check an overlay.")


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
    changes = list(_changes(before.config(), now.config()))
    terminal.write({"config_version": now.version, "changes": changes}, as_json=as_json)


def _changes(before: dict[str, Any], now: dict[str, Any]) -> Iterator[dict[str, object]]:
    """What `now` says otherwise than `before`, one row for each key of each table."""
    for table, keys in now.items():
        for key, value in keys.items():
            if before[table].get(key) != value:
                yield {"definition": f"{table}.{key}", "is": value, "was": before[table].get(key)}
