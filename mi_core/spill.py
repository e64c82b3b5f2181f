"""Folders for what queries under way can't hold in memory, one for each connection.

Two connections that shared one would read each other's rows. What a process that was killed left
there is rows of people, so whoever comes next removes it.
"""

import os
import shutil
import socket
from pathlib import Path
from uuid import uuid4

SPILL = "spill"
"""Folder of the workspace that has them all."""


def new_folder(path: Path) -> Path:
    """Where a new connection to the workspace at `path` may spill; DuckDB makes it when it has to.

    It makes that folder alone, and not the one that it lies in.
    """
    folder, host = path / SPILL, socket.gethostname()
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{host}.*.*"):
        if not _is_alive(int(left.name.split(".")[-2])):
            shutil.rmtree(left, ignore_errors=True)
    return folder / f"{host}.{os.getpid()}.{uuid4().hex[:8]}"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
