"""`mi ingest-spend`: what campaigns cost."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mi_core import terminal
from mi_core.cli.app import Json, WorkspacePath, open_workspace


def ingest_spend(
    files: Annotated[
        list[Path],
        typer.Argument(help="CSV or Parquet with date, channel, campaign, and spend or cents."),
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Where the lake says otherwise, the files count.")
    ] = False,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Take in what campaigns cost by day, for CPA and ROAS; rows there already are left alone."""
    with open_workspace(workspace, may_make=True) as opened:
        summary = opened.ingest_spend(files, replace=replace)
    facts = asdict(summary)
    spend = facts.pop("cents") / 100
    terminal.write(summary if as_json else {"spend": spend, **facts}, as_json=as_json)
