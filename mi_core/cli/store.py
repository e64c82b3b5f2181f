"""What a workspace holds: making one, taking events in, reading, maintaining, checking."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mi_core import terminal
from mi_core.cli.app import (
    OVERLAY,
    Json,
    WorkspacePath,
    instant,
    open_workspace,
    workspace_folder,
)

if TYPE_CHECKING:
    from mi_core.ingest.summary import IngestSummary, PullSummary
    from mi_core.workspace import Workspace

POSTHOG = "posthog"
"""In place of paths: PostHog itself."""
OVERLAP_HOURS = 24.0


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
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH… | posthog",
            help="Files or folders of PostHog exports; or posthog, to pull from its query API.",
        ),
    ],
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            parser=instant,
            metavar="TIME",
            help="Pull from then on. Default: from the last pull's end, less --overlap; at first,"
            " the last 7 days.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until", parser=instant, metavar="TIME", help="Pull until then. Default: now."
        ),
    ] = None,
    overlap: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="HOURS",
            help=f"How late events may arrive and still be pulled. Default: {OVERLAP_HOURS:g}.",
        ),
    ] = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Take events in from exports or from PostHog; what is there already is left alone."""
    is_pull = POSTHOG in paths
    if is_pull and len(paths) > 1:
        raise typer.BadParameter("posthog stands alone; a folder of that name is ./posthog.")
    if not is_pull and any(each is not None for each in (since, until, overlap)):
        raise typer.BadParameter("--since, --until and --overlap go with mi ingest posthog.")
    if is_pull and Path(POSTHOG).exists():
        terminal.note("This pulls from PostHog; the files here named so are ./posthog.")
    summary: IngestSummary | PullSummary
    with open_workspace(workspace, may_make=True) as opened, terminal.progress() as progress:
        if is_pull:
            hours = timedelta(hours=OVERLAP_HOURS if overlap is None else overlap)
            summary = opened.pull(since, until, overlap=hours, progress=progress)
        else:
            summary = opened.ingest(paths, progress=progress)
    terminal.write(summary, as_json=as_json)
    _note_unknown(opened, summary)


def _note_unknown(opened: "Workspace", summary: "IngestSummary | PullSummary") -> None:
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
