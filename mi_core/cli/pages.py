"""Reports, and a sample of the whole way to one."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from mi_core import terminal
from mi_core.cli.app import AsOfScoring, Json, WorkspacePath, open_workspace, workspace_folder

REPORTS = (
    "Which report. acquisition: who comes, how close they are to buying, whether they return. "
    "attribution: who gets the credit for conversions, and how sure that is."
)


def report(
    name: Annotated[str, typer.Argument(help=REPORTS)] = "acquisition",
    as_of: AsOfScoring = None,
    days: Annotated[int, typer.Option(min=1, help="Days that it covers.")] = 90,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Of attribution: what gets the credit. As mi attribution."
        ),
    ] = None,
    conversion: Annotated[
        str | None, typer.Option(metavar="TYPE", help="Of attribution: one kind. Default: all.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write it. Default: reports/ in the workspace.")
    ] = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Render a report as one self-contained HTML page."""
    with open_workspace(workspace) as opened, terminal.progress() as progress:
        progress("Rendering the report", 0, 1)
        asked = {"by": by, "conversion": conversion}
        more = {parameter: value for parameter, value in asked.items() if value is not None}
        page = opened.report(name, as_of=as_of, days=days, out=out, **more)
    terminal.write({"page": page}, as_json=as_json)


def demo(
    events: Annotated[int, typer.Option(min=1, help="How many sample events.")] = 200_000,
    seed: Annotated[int, typer.Option(help="Which sample: the same seed, the same people.")] = 0,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Take sample people the whole way to the reports, in demo/ beside your own workspace."""
    from mi_core.demo import run_demo

    with terminal.progress() as progress:
        made = run_demo(
            workspace_folder(workspace) / "demo", events=events, seed=seed, progress=progress
        )
    counts = {
        "events": made.ingested.accepted,
        "people": made.scored.users_scored,
        "leads enriched": made.enriched.completed,
    }
    terminal.write(made if as_json else counts, as_json=as_json)
    # Its leads ended when its events did, long ago.
    leads = f"mi enrich stats --as-of {made.ended_on + timedelta(days=1)}"
    terminal.note(
        f"To look further: . .venv/bin/activate; export MI_WORKSPACE={made.workspace}; then"
        f" mi attribution, mi funnel, mi retention, {leads}, mi sql …, or make lab."
    )
    terminal.note("The reports, to open in a browser:")
    for page in made.reports.values():
        terminal.note(f"  {page}")
