"""`mi`: the workspace's verbs on the command line.

Data goes to standard output, as tables or with `--json` as one JSON document; progress and errors
go to standard error. An error is one sentence and exit code 1; a command that can't be read is 2.
Everything heavy is imported by the command that needs it, so that `mi --help` is quick.
"""

import errno
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from mi_core import terminal
from mi_core.errors import DefinitionError, MiError, UnknownName, WorkspaceError

if TYPE_CHECKING:
    from mi_core.intent import Trend
    from mi_core.person import MagnetismView, Person
    from mi_core.workspace import Workspace


class Commands(TyperGroup):
    """Ends an error of this package, of a path, or Ctrl-C as a sentence, not a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except MiError as error:
            terminal.note(f"mi: {error}")
            raise typer.Exit(1) from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            terminal.note(f"mi: {error.filename or 'The system'}: {error.strerror or error}.")
            raise typer.Exit(1) from None
        except (KeyboardInterrupt, RuntimeError) as error:
            # DuckDB's own error where Ctrl-C came during a query.
            if isinstance(error, RuntimeError) and str(error) != "Query interrupted":
                raise
            terminal.note("mi: Interrupted; run it again to finish.")
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Marketing intelligence: PostHog events in; intent, personas, magnetism and reports out.",
)
definitions_app = typer.Typer(no_args_is_help=True)
app.add_typer(
    definitions_app, name="definitions", help="Show what scores are made with, or check an overlay."
)


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a time; write 2024-06-30 or 2024-06-30T12:00:00+02:00."
        ) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


WorkspacePath = Annotated[
    Path | None,
    typer.Option(
        "--workspace", envvar="MI_WORKSPACE", help="Folder of everything stored. Default: data"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON document, for programs.")]


def _as_of(default: str) -> Any:
    text = f"The instant, exclusive; UTC where it has no offset. Default: {default}."
    return typer.Option("--as-of", parser=_instant, metavar="TIME", help=text)


AsOf = Annotated[datetime | None, _as_of("now")]
AsOfScoring = Annotated[datetime | None, _as_of("that of the newest scoring")]
OVERLAY = "overlay.toml"


def main() -> None:
    """Run the command line."""
    app(prog_name="mi")


@app.command()
def init(workspace: WorkspacePath = None, as_json: Json = False) -> None:
    """Make an empty workspace; one that is there already is upgraded where needed."""
    with _open(workspace, may_make=True) as opened:
        terminal.write(
            {
                "workspace": opened.path,
                "config_version": opened.definitions.version,
                "lake_snapshot": opened.warehouse.snapshot(),
            },
            as_json=as_json,
        )


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of PostHog exports.")],
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Take PostHog exports in; events that are there already are left alone."""
    with _open(workspace, may_make=True) as opened, terminal.progress() as progress:
        summary = opened.ingest(paths, progress=progress)
    terminal.write(summary, as_json=as_json)
    if summary.unknown_events:
        terminal.note(
            "\nEvents of an unknown name are kept, but add to no score: "
            f"say what they mean in {opened.path / OVERLAY}."
        )


@app.command()
def score(
    as_of: AsOf = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since", parser=_instant, metavar="TIME", help="Score a history too, from here on."
        ),
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Days between two instants of it.")] = 7,
    full: Annotated[bool, typer.Option("--full", help="Everybody, not only who changed.")] = False,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Score intent, personas and magnetism."""
    if since and since > (as_of or datetime.now(UTC)):
        raise typer.BadParameter("--since must not be after --as-of.")
    with _open(workspace) as opened, terminal.progress() as progress:
        summary = opened.score(
            as_of, since=since, every=timedelta(days=every), full=full, progress=progress
        )
    terminal.write(summary, as_json=as_json)


@app.command()
def user(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="An id as PostHog has it, or as reports show it.")
    ],
    as_of: AsOfScoring = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Show one person: scores, why they are so, and what to do."""
    with _open(workspace) as opened:
        person = opened.user(identifier, as_of=as_of)
    terminal.write(person if as_json else _in_short(person), as_json=as_json)


def _in_short(person: "Person") -> dict[str, object]:
    """What a person needs to know of a person; JSON has the rest."""
    intent, persona, month = person.intent, person.persona, person.magnetism["30d"]
    return {
        "user_id": person.user_id,
        "as_of": person.as_of,
        "intent": f"{intent.score:.0f} of 100, {intent.level}{_change(intent.trend)}",
        "persona": f"{persona.label}, {persona.confidence:.0%} sure, by {persona.source}",
        **{f"magnetism_{window}": _index(view) for window, view in person.magnetism.items()},
        "churn_risk": month.churn_risk,
        "in_a_week": f"{month.forecast.predicted_score}, {month.forecast.trend}",
        "points_by_signal": list(intent.signals),
        "parts_of_magnetism": month.components,
        "what_to_do": list(month.recommendations),
    }


def _index(view: "MagnetismView") -> str:
    change = _change(view.trend.trend if view.trend else None)
    return f"{view.index:.0f} of 100, {view.band}{change}"


def _change(trend: "Trend | None") -> str:
    return f" ({trend.change:+.0f}, {trend.direction})" if trend else ""


@app.command()
def report(
    name: Annotated[str, typer.Argument(help="Which report.")] = "acquisition",
    as_of: AsOfScoring = None,
    days: Annotated[int, typer.Option(min=1, help="Days that it covers.")] = 90,
    out: Annotated[
        Path | None, typer.Option(help="Where to write it. Default: reports/ in the workspace.")
    ] = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Render a report as one self-contained HTML page."""
    with _open(workspace) as opened, terminal.progress() as progress:
        progress("Rendering the report", 0, 1)
        page = opened.report(name, as_of=as_of, days=days, out=out)
    terminal.write({"page": page}, as_json=as_json)


@app.command()
def demo(
    events: Annotated[int, typer.Option(min=1, help="How many sample events.")] = 200_000,
    seed: Annotated[int, typer.Option(help="Which sample: the same seed, the same people.")] = 0,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Take sample people the whole way to a report, in demo/ beside your own workspace."""
    from mi_core.demo import run_demo

    with terminal.progress() as progress:
        made = run_demo(_folder(workspace) / "demo", events=events, seed=seed, progress=progress)
    counts = {"events": made.ingested.accepted, "people": made.scored.users_scored}
    terminal.write(made if as_json else counts, as_json=as_json)
    terminal.note(
        f"To look further: export MI_WORKSPACE={made.workspace}, then mi sql or make lab."
    )
    terminal.note(f"The report, to open in a browser: {made.report}")


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="DuckDB SQL over lake and state; - reads it.")],
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Read lake and state with a query."""
    with _open(workspace) as opened:
        rows = opened.sql(sys.stdin.read() if query == "-" else query)
    terminal.write(rows, as_json=as_json)


@app.command()
def maintain(
    keep_days: Annotated[int, typer.Option(min=2, help="Days for which everything is kept.")] = 7,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Thin old scorings, prune the inbox, merge small files; best once a day."""
    with _open(workspace) as opened:
        done = opened.maintain(keep_days=keep_days)
    terminal.write(done, as_json=as_json)


@app.command()
def doctor(workspace: WorkspacePath = None, as_json: Json = False) -> None:
    """Say what is wrong with the environment or the workspace; exit code 1 if anything is."""
    from mi_core.doctor import examine

    checks = examine(_folder(workspace))
    terminal.write(checks, as_json=as_json)
    if not all(check.is_well for check in checks):
        raise typer.Exit(1)


@definitions_app.command("show")
def definitions_show(
    table: Annotated[str | None, typer.Argument(help="One table, such as signals.")] = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Show the definitions in force, the workspace's overlay included."""
    from mi_core.definitions import load_definitions

    overlay = _folder(workspace) / OVERLAY
    definitions = load_definitions(overlay if overlay.exists() else None)
    config = definitions.config()
    if table is None:
        shown = {"config_version": definitions.version} | {n: len(v) for n, v in config.items()}
    elif table in config:
        shown = config[table]
    else:
        raise UnknownName("table", table, config)
    terminal.write(config if as_json and table is None else shown, as_json=as_json)


@definitions_app.command("check")
def definitions_check(
    overlay: Annotated[Path | None, typer.Argument(help="Default: that of the workspace.")] = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Check an overlay, and show what it changes; puts nothing in force."""
    from mi_core.definitions import load_definitions

    before = load_definitions()
    file = overlay or _folder(workspace) / OVERLAY
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


def _folder(workspace: Path | None) -> Path:
    from mi_core.settings import load_settings

    return workspace or load_settings().workspace


def _open(workspace: Path | None, *, may_make: bool = False) -> "Workspace":
    from mi_core.workspace import open_workspace

    folder = _folder(workspace)
    if not (may_make or folder.exists()):
        raise WorkspaceError(f"There is no workspace in {folder}; make one with mi init.")
    return open_workspace(folder)
