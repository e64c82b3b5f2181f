"""What the commands share: how they end, their options, and how they open the workspace."""

import errno
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from mi_core import terminal
from mi_core.errors import MiError, WorkspaceError

if TYPE_CHECKING:
    from mi_core.configs import Configs
    from mi_core.definitions import Definitions
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


def instant(text: str) -> datetime:
    """The time that an option gives, in UTC; what is none is an error of usage."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a time; write 2024-06-30 or 2024-06-30T12:00:00+02:00."
        ) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_of(default: str) -> Any:
    text = f"The instant, exclusive; UTC where it has no offset. Default: {default}."
    return typer.Option("--as-of", parser=instant, metavar="TIME", help=text)


AsOf = Annotated[datetime | None, _as_of("now")]
AsOfScoring = Annotated[datetime | None, _as_of("that of the newest scoring")]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON document, for programs.")]
WorkspacePath = Annotated[
    Path | None,
    typer.Option(
        "--workspace", envvar="MI_WORKSPACE", help="Folder of everything stored. Default: data"
    ),
]
OVERLAY = "overlay.toml"


def workspace_folder(workspace: Path | None) -> Path:
    """The folder that an option names, else that of the settings."""
    from mi_core.settings import load_settings

    return workspace or load_settings().workspace


def definitions_in_force(workspace: Path | None) -> "Definitions":
    """Those that a workspace goes by, with what its own files say; it needn't be there."""
    from mi_core.definitions import load_definitions
    from mi_core.settings import load_settings

    folder = workspace_folder(workspace)
    if (folder / "state.sqlite").exists() or load_settings().state_url:
        with configs_of(workspace) as configs:
            return configs.in_force()
    overlay = folder / OVERLAY
    return load_definitions(overlay if overlay.exists() else None)


@contextmanager
def configs_of(workspace: Path | None) -> "Iterator[Configs]":
    """The versions of a workspace's definitions, also where those in force can't be read."""
    from mi_core.configs import Configs
    from mi_core.settings import load_settings
    from mi_core.state import State

    folder = existing_folder(workspace)
    with closing(State.open(folder, load_settings())) as state:
        yield Configs(folder, state)


def open_workspace(workspace: Path | None, *, may_make: bool = False) -> "Workspace":
    """The workspace that an option names; one that isn't there is made only where that is meant."""
    from mi_core import workspace as verbs

    folder = workspace_folder(workspace) if may_make else existing_folder(workspace)
    return verbs.open_workspace(folder)


def existing_folder(workspace: Path | None) -> Path:
    """The folder of `workspace_folder`, where there is one."""
    folder = workspace_folder(workspace)
    if not folder.exists():
        raise WorkspaceError(f"There is no workspace in {folder}; make one with mi init.")
    return folder


def note_where_events_lie(opened: "Workspace", since: date) -> None:
    """Say so where the newest event is older than a period: its zeros are no finding."""
    row = opened.warehouse.sql("select min(occurred_at), max(occurred_at) from lake.user_event")
    first, last = row.fetchone() or (None, None)
    if last is None:
        terminal.note("There is no event here yet; mi ingest takes some in.")
    elif last.date() < since:
        terminal.note(
            f"No event is in this period: they are of {first:%Y-%m-%d} to {last:%Y-%m-%d}."
            f" Look at them with --as-of {last + timedelta(days=1):%Y-%m-%d}."
        )
