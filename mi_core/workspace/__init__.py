"""The face of the package: one object with the verbs that people use.

Each module has the verbs of one concern; `Workspace` has all of them.
"""

from contextlib import ExitStack
from pathlib import Path

from mi_core.errors import WorkspaceError
from mi_core.settings import Settings, load_settings
from mi_core.workspace.people import STRANGER, People
from mi_core.workspace.questions import Questions
from mi_core.workspace.scoring import Maintenance, Scoring
from mi_core.workspace.watching import Watching

__all__ = ["STRANGER", "Maintenance", "Workspace", "open_workspace"]

TO_FILL_ONE = (
    "take events in with `mi ingest` and `mi score`, or make sample data with `make demo`"
    " and set MI_WORKSPACE to data/demo/workspace."
)


class Workspace(People, Scoring, Questions, Watching):
    """A company's events, scores and reports in one folder. Open one with `open_workspace`."""


def open_workspace(
    path: Path | str | None = None,
    *,
    settings: Settings | None = None,
    snapshot: int | None = None,
    config: str | None = None,
    filled: bool = False,
) -> Workspace:
    """Open the workspace in the folder `path` (default: MI_WORKSPACE, else `data/`).

    A folder that holds none becomes one; an older one is upgraded; a newer one is refused.

    Parameters
    ----------
    snapshot
        A lake snapshot to look back to, as the foot of a report names it; it can only be read.
    config
        The version of definitions to go by in place of those in force, of those that were once.
    filled
        Refuse a folder without scored events, and make nothing there.

    Raises
    ------
    WorkspaceError
        It is to be filled, and isn't; or it can't be opened.
    SnapshotGone
        The lake keeps no history of that snapshot.
    UnknownName
        No definitions of that version were in force.
    """
    settings = settings or load_settings()
    folder = Path(path if path is not None else settings.workspace).absolute()
    if filled and not (settings.catalog_url or (folder / "catalog.sqlite").is_file()):
        raise WorkspaceError(f"There is no workspace in {folder}: {TO_FILL_ONE}")
    folder.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(folder, settings)
    with ExitStack() as on_failure:
        on_failure.callback(workspace.close)
        if filled and workspace.scored_as_of() is None:
            raise WorkspaceError(f"Nothing is scored in {folder} yet: {TO_FILL_ONE}")
        if snapshot is not None or config is not None:
            workspace.look_back(snapshot, config)
        on_failure.pop_all()
    return workspace
