"""New workspaces as copies of one, for making lake and state takes most of the time of a test."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from mi_core.settings import Settings, load_settings
from mi_core.state import State
from mi_core.warehouse import Warehouse
from mi_core.workspace import Workspace, open_workspace


@functools.cache
def empty_stores() -> Path:
    """The lake and the state of a new workspace on SQLite, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="empty_stores_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    fill_stores(folder, load_settings())
    return folder


def fill_stores(folder: Path, settings: Settings) -> None:
    State.open(folder, settings).close()
    Warehouse.open(folder, settings).close()


def move_lake(url: str, folder: Path) -> None:
    """Let the catalog at `url` be that of the workspace in `folder`."""
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute(
            "update lake.ducklake_metadata set value = %s where key = 'data_path'",
            [f"{folder}/lake/"],
        )


def new_workspace(folder: Path, settings: Settings | None = None) -> Workspace:
    """A workspace in `folder`: a new one, unless there is one already or it is on PostgreSQL."""
    settings = settings or load_settings()
    is_elsewhere = settings.state_url or settings.catalog_url
    if not is_elsewhere and not (folder / "state.sqlite").exists():
        shutil.copytree(empty_stores(), folder, dirs_exist_ok=True)
    return open_workspace(folder, settings=settings)
