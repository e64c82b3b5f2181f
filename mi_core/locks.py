"""One writer at a time, across processes.

Every write to the lake and all its maintenance happen under this lock: without it a SQLite catalog
starves its writers and a PostgreSQL catalog lets two merges insert the same rows. Both kinds of
lock vanish with the process that holds them.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from mi_core.errors import LockTimeout, Unreachable

_ADVISORY_KEY = 4_711_001


def write_lock(path: Path, catalog_dsn: str | None, timeout: float) -> AbstractContextManager[None]:
    """The workspace's write lock: a file lock beside a SQLite catalog, else PostgreSQL's own."""
    if catalog_dsn is None:
        return file_lock(path, timeout)
    return _advisory_lock(catalog_dsn, timeout)


@contextmanager
def file_lock(path: Path, timeout: float) -> Iterator[None]:
    """One process at a time, among those that see the same folder."""
    lock = FileLock(path, timeout=timeout, poll_interval=0.01)
    try:
        lock.acquire()
    except Timeout:
        raise _timed_out(timeout) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _advisory_lock(dsn: str, timeout: float) -> Iterator[None]:
    import psycopg

    try:
        opened = psycopg.connect(dsn, autocommit=True)
    except psycopg.OperationalError as error:
        raise Unreachable(f"The lake's catalog can't be opened: {error}") from None
    with opened as connection:
        connection.execute(
            "select set_config('lock_timeout', %s, false)", [f"{timeout * 1000:.0f}"]
        )
        try:
            connection.execute("select pg_advisory_lock(%s)", [_ADVISORY_KEY])
        except psycopg.errors.LockNotAvailable:
            raise _timed_out(timeout) from None
        yield


def _timed_out(timeout: float) -> LockTimeout:
    return LockTimeout(
        f"Another process has been writing to this workspace for over {timeout:.0f} seconds; "
        "try again, or raise MI_LOCK_TIMEOUT_SECONDS."
    )
