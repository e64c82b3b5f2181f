"""What a workspace holds: making one, taking events in, reading, maintaining, checking."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mi_core import terminal
from mi_core.cli.app import OVERLAY, Json, WorkspacePath, open_workspace, workspace_folder


def init(workspace: WorkspacePath = None, as_json: Json = False) -> None:
    """Make an empty workspace; one that is there already is upgraded where needed."""
    with open_workspace(workspace, may_make=True) as opened:
        terminal.write(
            {
                "workspace": opened.path,
                "config_version": opened.definitions.version,
                "lake_snapshot": opened.warehouse.snapshot(),
            },
            as_json=as_json,
        )


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of PostHog exports.")],
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Take PostHog exports in; events that are there already are left alone."""
    with open_workspace(workspace, may_make=True) as opened, terminal.progress() as progress:
        summary = opened.ingest(paths, progress=progress)
    terminal.write(summary, as_json=as_json)
    if summary.unknown_events:
        terminal.note(
            "\nEvents of an unknown name are kept, but add to no score: "
            f"say what they mean in {opened.path / OVERLAY}."
        )


def sql(
    query: Annotated[str, typer.Argument(help="DuckDB SQL over lake and state; - reads it.")],
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Read lake and state with a query."""
    with open_workspace(workspace) as opened:
        rows = opened.sql(sys.stdin.read() if query == "-" else query)
    terminal.write(rows, as_json=as_json)


def maintain(
    keep_days: Annotated[int, typer.Option(min=2, help="Days for which everything is kept.")] = 7,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Thin old scorings, prune the inbox, merge small files; best once a day."""
    with open_workspace(workspace) as opened:
        done = opened.maintain(keep_days=keep_days)
    terminal.write(done, as_json=as_json)


def doctor(workspace: WorkspacePath = None, as_json: Json = False) -> None:
    """Say what is wrong with the environment or the workspace; exit code 1 if anything is."""
    from mi_core.doctor import examine

    checks = examine(workspace_folder(workspace))
    terminal.write(checks, as_json=as_json)
    if not all(check.is_well for check in checks):
        raise typer.Exit(1)
