"""Databases without the remains of deleted rows in their free pages and logs."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mi_core.errors import WorkspaceError

# In a process of its own: of two SQLites in a process, the one that closes a file drops the
# other's locks on it.
_SQLITE = """
import sqlite3, sys, time
file, patience = sys.argv[1], float(sys.argv[2])
end = time.monotonic() + patience
connection = sqlite3.connect(file, timeout=patience, isolation_level=None)
connection.execute("vacuum")
while connection.execute("pragma wal_checkpoint(truncate)").fetchone()[0]:
    if time.monotonic() > end:
        sys.exit(3)
    time.sleep(0.02)
"""
_BUSY = (
    "A query has been reading {name} for over {seconds:.0f} seconds, so that what was erased can't"
    " be cleared from it; end the query, then run mi maintain."
)


def vacuum_sqlite(file: Path, patience: float) -> None:
    """Write the database anew and empty its log.

    When this returns, no transaction sees anything older: it waits for those that do.

    Raises
    ------
    WorkspaceError
        Such a transaction didn't end within `patience` seconds.
    """
    command = [sys.executable, "-I", "-S", "-c", _SQLITE, str(file), str(patience)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 3 or "locked" in done.stderr:
        raise WorkspaceError(_BUSY.format(name=file.name, seconds=patience))
    if done.returncode:
        told = done.stderr.strip().rsplit("\n", 1)[-1]
        raise WorkspaceError(f"{file.name} can't be cleared of what was erased: {told}")


def vacuum_postgresql(url: str, schema: str, tables: Sequence[str], patience: float) -> None:
    """Write the tables anew, all of `schema` where none are named; else as `vacuum_sqlite`.

    The server's own log keeps what was erased until it reuses the space.
    """
    import psycopg
    from psycopg import sql

    try:
        with psycopg.connect(url, autocommit=True) as connection:
            timeout = f"{patience * 1000:.0f}"
            connection.execute("select set_config('lock_timeout', %s, false)", [timeout])
            names = tables or [
                row[0]
                for row in connection.execute(
                    "select tablename from pg_tables where schemaname = %s", [schema]
                ).fetchall()
            ]
            for name in names:
                connection.execute(sql.SQL("vacuum (full) {}").format(sql.Identifier(schema, name)))
    except psycopg.errors.LockNotAvailable:
        raise WorkspaceError(_BUSY.format(name="the database", seconds=patience)) from None
    except psycopg.OperationalError as error:
        raise WorkspaceError(f"The database can't be cleared of what was erased: {error}") from None
