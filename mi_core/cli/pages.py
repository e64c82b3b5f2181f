"""Reports, and a sample of the whole way to them."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from mi_core import terminal, words
from mi_core.cli.app import AsOfScoring, Json, WorkspacePath, open_workspace, workspace_folder
from mi_core.errors import BadValue

SHOWN = 20
"""Differences that are listed."""

Again = Annotated[
    Path | None,
    typer.Option(
        "--manifest",
        metavar="PAGE",
        help="Make this page again, from the same data where the lake still keeps it, and say "
        "what differs.",
    ),
]


def report(
    name: Annotated[
        str | None, typer.Argument(help="Which report; --list names them. Default: acquisition.")
    ] = None,
    as_of: AsOfScoring = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="Days that it covers. Default: as the report has it.")
    ] = None,
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
    pdf: Annotated[bool, typer.Option("--pdf", help="Also as a PDF; needs Chromium.")] = False,
    every: Annotated[bool, typer.Option("--all", help="All reports that there are.")] = False,
    manifest: Again = None,
    listed: Annotated[bool, typer.Option("--list", help="Which reports there are.")] = False,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Render a report as one self-contained HTML page."""
    if listed:
        _list(as_json=as_json)
        return
    asked: dict[str, Any] = {"days": days, "out": out, "by": by, "conversion": conversion}
    more = {parameter: value for parameter, value in asked.items() if value is not None}
    if (name is not None) + every + (manifest is not None) > 1:
        raise BadValue("One of a report's name, --all and --manifest; not several.")
    if every and (more or pdf):
        raise BadValue("--all goes with --as-of alone: what else there is to say is of one report.")
    if manifest is not None and (as_of or pdf or more.keys() - {"out"}):
        raise BadValue("--manifest goes with --out alone: the page says itself what it is about.")
    if every:
        _all(as_of, workspace, as_json=as_json)
    elif manifest is not None:
        _again(manifest, out, workspace, as_json=as_json)
    else:
        with open_workspace(workspace) as opened, terminal.progress() as progress:
            progress("Rendering the report", 0, 1)
            page = opened.report(name or "acquisition", as_of=as_of, pdf=pdf, **more)
        printed = {"pdf": page.with_suffix(".pdf")} if pdf else {}
        terminal.write({"page": page, **printed}, as_json=as_json)


def report_diff(
    before: Annotated[
        Path, typer.Argument(help="A page that mi report made; also as it is in reports/.")
    ],
    after: Annotated[Path, typer.Argument(help="Another of the same report.")],
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Say what differs between two pages: how they were made, and each figure."""
    from mi_core.reports import compare, read_manifest

    shelf = workspace_folder(workspace) / "reports"
    then, now = (
        read_manifest(page if page.exists() or not (shelf / page).exists() else shelf / page)
        for page in (before, after)
    )
    _tell(compare(then, now), as_json=as_json)


def _list(*, as_json: bool) -> None:
    from mi_core.reports import catalogue

    rows = [
        {"report": each.name, "due": each.cadence, "question": each.question}
        for each in catalogue().values()
    ]
    terminal.write(rows, as_json=as_json)


def _all(as_of: datetime | None, workspace: Path | None, *, as_json: bool) -> None:
    with open_workspace(workspace) as opened, terminal.progress() as progress:
        made = opened.report_all(as_of=as_of, progress=progress)
        index = opened.shelf.page("index")
    pages = [
        {"report": name, "page": page} for name, page in made.items() if isinstance(page, Path)
    ]
    failures = [page for page in made.values() if not isinstance(page, Path)]
    terminal.write(pages, as_json=as_json)
    for failure in failures:
        terminal.note(str(failure))
    terminal.note(f"All that there are: {index}")
    if failures:
        raise typer.Exit(1)


def _again(page: Path, out: Path | None, workspace: Path | None, *, as_json: bool) -> None:
    with open_workspace(workspace) as opened, terminal.progress() as progress:
        progress("Rendering it again", 0, 1)
        again, differences = opened.report_again(page, out=out)
    terminal.note(f"Made again: {again}")
    _tell(differences, as_json=as_json)
    if not all(each.is_of_state for each in differences):
        raise typer.Exit(1)


def _tell(differences: list[Any], *, as_json: bool) -> None:
    if as_json:
        terminal.write([vars(each) for each in differences], as_json=True)
        return
    moved = [each for each in differences if each.is_of_state]
    others = [each for each in differences if not each.is_of_state]
    if not others:
        beside = " that the lake has" if moved else ""
        terminal.note(f"Both say the same: every figure{beside}, and how it was made.")
    _show(others)
    if moved:
        terminal.note(
            f"{words.count(len(moved), 'figure')} of the state, which keeps no history: leads,"
            " calls and alerts as they are now, not as they were."
        )
        _show(moved)


def _show(differences: list[Any]) -> None:
    """The first of them as a table; nothing of none."""
    rows = [{"what": each.what, "before": each.before, "after": each.after} for each in differences]
    if rows:
        terminal.write(rows[:SHOWN], as_json=False)
    if len(rows) > SHOWN:
        terminal.note(f"{len(rows) - SHOWN:,} more differ; --json has them all.")


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
    terminal.note(f"The reports, to open in a browser:\n  {made.index}")
