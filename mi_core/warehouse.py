"""DuckDB, and the only module that knows it.

One connection holds the lake and the state side by side, so that a query joins both, and the
definitions as small temporary tables. A relation is a file under `sql/`: a single `select` with
`$named` parameters. What is written to the lake is first staged in a temporary table, with no lock,
and then published in one short transaction under the workspace's write lock, so that readers never
wait for a writer.
"""

import importlib.util
import json
import logging
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from mi_core import migrations, spill
from mi_core.binding import plain_values
from mi_core.errors import (
    RelationError,
    SnapshotGone,
    Unreachable,
    UnreadableData,
    WorkspaceError,
)
from mi_core.locks import file_lock, write_lock
from mi_core.relations import identifier, literal, quoted, relation_sql, shape
from mi_core.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from mi_core.definitions import Definitions

log = logging.getLogger(__name__)

DEFINITION_TABLES = {
    "taxonomy": "taxonomy_rows",
    "signal": "signal_rows",
    "persona": "persona_rows",
    "channel": "channel_rows",
    "channel_term": "channel_term_rows",
    "channel_rule": "channel_rule_rows",
    "referrer": "referrer_rows",
}
"""Temporary table → the method of Definitions that gives its rows."""

VIEWS = (
    "touchpoint",
    "conversion",
    "email_send",
    "free_trial",
    "subscription",
    "vw_last_touch_before_conversion",
    "vw_reactivation_30d",
)
"""Views over the lake. They are the package's, not the lake's, so that none is ever out of date."""

_SHORT_NAMES = "set search_path = 'memory,lake,state'"

_LOOKED_UP_SINCE = 5
_LOOKED_UP = {"user_feature": 32_768, "user_score_day": 32_768}
"""Tables of that version where one person is looked up → rows of a group, which such a look unpacks
whole; but the more groups, the longer the list of them that it reads first."""


def scratch(settings: Settings | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection in memory: UTC, no downloads, within the limits of `settings`."""
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_unsigned_extensions": True,
        }
    )
    # What a query can't hold in memory must not end up in the folder one happens to be in.
    connection.execute(f"set temp_directory = {quoted(tempfile.gettempdir())}")
    # DuckLake forgets a column's bounds when nulls come first, and then takes those of later rows
    # for those of all: filters would lose rows, and sorts would change values.
    connection.execute("set disabled_optimizers = 'statistics_propagation'")
    _prepare(connection)
    if settings and settings.threads:
        connection.execute(f"set threads = {settings.threads}")
    if settings:
        connection.execute(f"set memory_limit = {quoted(settings.memory_limit)}")
    return connection


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """What each connection needs of its own."""
    connection.execute("set timezone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    connection.execute(relation_sql("macros"))


_OF_DATA = (
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.OutOfRangeException,
)
"""What DuckDB raises where a value is to blame, and not the machine."""


class Rows:
    """The rows of a statement, all of them read.

    A result that is left half read keeps its transaction open, and with it the lake as it was.
    """

    def __init__(self, result: duckdb.DuckDBPyConnection) -> None:
        self.description: list[tuple[Any, ...]] = result.description or []
        self._rows: list[Any] = result.fetchall()

    def fetchall(self) -> list[Any]:
        return self._rows

    def fetchone(self) -> Any:
        """The first row; None where there is none."""
        return self._rows[0] if self._rows else None


class Warehouse:
    """A connection with the lake, the state and the definitions at hand.

    Not shared between threads or processes: each opens its own.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self.settings = settings
        self.connection = scratch(settings)
        self._spill = spill.new_folder(path)
        self.connection.execute(f"set temp_directory = {quoted(str(self._spill))}")
        self._catalog_url = (
            settings.catalog_url.get_secret_value() if settings.catalog_url else None
        )
        self.has_state = False
        self._looks_back_to: int | None = None
        self._depth = 0
        self._is_beside = False
        self._reading: int | None = None
        self._seconds: dict[str, float] | None = None

    @classmethod
    def open(cls, path: Path, settings: Settings, *, has_state: bool = True) -> "Warehouse":
        """Attach the lake of the workspace at `path`, made or upgraded where needed.

        And its state, which must be there, unless `has_state` is false.

        Raises
        ------
        WorkspaceError
            The lake was made by a newer version of this package, or can't be attached.
        Unreachable
            It can't be just now.
        """
        warehouse = cls(path, settings)
        warehouse._set_up()
        try:
            warehouse._attach_lake()
            if has_state:
                warehouse._attach_state()
        except duckdb.Error as error:
            warehouse.close()
            raise _closed(f"The lake in {path} can't be opened", error) from None
        return warehouse

    @contextmanager
    def beside(self) -> Iterator["Warehouse"]:
        """The same engine for another thread: temporary tables and transactions are its own."""
        other = copy(self)
        other.connection = self.connection.cursor()
        other._reading, other._is_beside = None, True
        _prepare(other.connection)
        try:
            yield other
        finally:
            other.close()

    def close(self) -> None:
        self.connection.close()
        if not self._is_beside:
            shutil.rmtree(self._spill, ignore_errors=True)

    # --- reading

    def sql(
        self,
        query: str,
        params: Mapping[str, object] | Sequence[object] | None = None,
        *,
        name: str = "query",
    ) -> Rows:
        """Run one statement; the result offers `fetchall` and `fetchone`.

        `name` is what `timed` and errors call it.
        """
        return self._execute(name, query, params)

    def query(self, name: str, **params: object) -> Rows:
        """Run the relation `name`; the result is that of `sql`, with its own types."""
        return self._execute(name, relation_sql(name), params)

    def frame(self, query: str, params: Mapping[str, object] | None = None) -> "pl.DataFrame":
        """The rows of a query as a Polars frame; 128-bit ids come as text, big sums as integers."""
        import polars as pl

        try:
            result = self._kept(query, params) if params else self.connection.sql(query)
            frame = pl.DataFrame() if result is None else pl.DataFrame(_for_polars(result))
        except duckdb.Error as error:
            raise _failed("The query failed", error) from error
        if params:
            self.sql("drop table frame_row")
        wide = [c for c, t in frame.schema.items() if t == pl.Decimal(38, 0)]
        return frame.with_columns(pl.col(wide).cast(pl.Int64)) if wide else frame

    def _relation(self, name: str, query: str, params: Mapping[str, object]) -> "pl.DataFrame":
        try:
            return self.frame(query, params)
        except RelationError as error:
            failed = RelationError(f"Relation {name}: {error}")
            failed.may_pass = error.may_pass
            raise failed from error

    def _kept(self, query: str, params: Mapping[str, object]) -> duckdb.DuckDBPyRelation:
        """The rows of a query in a temporary table.

        Given parameters, DuckDB's own relation makes a Python object of every value, which takes
        2 s for a million rows in place of 40 ms.
        """
        with plain_values():
            self.connection.execute(f"create or replace temp table frame_row as\n{query}", params)
        return self.connection.table("frame_row")

    def ask(self, query: str, params: Mapping[str, object] | None = None) -> "pl.DataFrame":
        """`frame` for a query that anybody wrote: one statement, that can change nothing stored.

        `params` may have more than it names.
        """
        try:
            statements = self.connection.extract_statements(query)
        except duckdb.Error as error:
            raise RelationError(f"The query failed: {_plain(error)}") from error
        if len(statements) != 1:
            raise RelationError(f"A query is one statement; this has {len(statements) or 'none'}.")
        named, given = sorted(statements[0].named_parameters), params or {}
        if missing := [name for name in named if name not in given]:
            raise RelationError(f"The query has ${missing[0]}, and nothing gives it a value.")
        with self.short_names():
            self.sql("begin transaction read only")
            try:
                return self.frame(query, {name: given[name] for name in named})
            finally:
                self.sql("rollback")

    def reader(self) -> "Warehouse":
        """Another engine on the same lake and state that can write neither; to be closed."""
        other = Warehouse(self.path, self.settings)
        try:
            other._set_up()
            other._attach(self._looks_back_to, read_only=True)
            if self.has_state:
                other._attach_state()
            other.sql(_SHORT_NAMES)
        except duckdb.Error as error:
            other.close()
            raise _closed(f"{self.path} can't be read", error) from None
        return other

    @contextmanager
    def short_names(self) -> Iterator[None]:
        """Tables of lake and state without their prefix, while the block runs.

        Not always: every name, a function's too, would be looked up in three catalogs.
        """
        self.sql(_SHORT_NAMES)
        try:
            yield
        finally:
            self.sql("reset search_path")

    def relation(self, name: str, **params: object) -> "pl.DataFrame":
        """The rows of the relation `sql/<name>.sql`."""
        return self._relation(name, relation_sql(name), params)

    def arrays(
        self, name: str, over: Mapping[str, str] | None = None, **params: object
    ) -> "dict[str, np.ndarray]":
        """The columns of the relation `name` as NumPy arrays, which may be read-only.

        Parameters
        ----------
        over
            Tables that it reads → the relations that give their rows, in the same statement: dearer
            to store than to compute.
        """
        tables = [f"{identifier(t)} as (\n{relation_sql(r)})" for t, r in (over or {}).items()]
        opening = f"with {', '.join(tables)}\n" if tables else ""
        frame = self._relation(name, opening + relation_sql(name), params)
        return {column.name: column.to_numpy() for column in frame}

    def stage(self, table: str, name: str, **params: object) -> int:
        """Put the relation `name` into the temporary table `table`; returns its number of rows."""
        statement = f"create or replace temp table {identifier(table)} as\n{relation_sql(name)}"
        row = self._execute(name, statement, params).fetchone()
        return int(row[0]) if row else 0

    def prepare(self, name: str, statement: str, **params: object) -> None:
        """Plan a statement once, for `run` to run often; `params` keep these values.

        To plan a long one takes longer than to run it over few rows. One more parameter may be left
        for `run` to give, whose type the statement says, as in `$text::varchar`.
        """
        if params:
            # Written into it: DuckDB would plan a statement with so many parameters anew each time.
            named = re.compile(rf"\$({'|'.join(params)})\b")
            statement = named.sub(lambda found: literal(params[found[1]]), statement)
        self._execute(name, f"prepare {identifier(name)} as\n{statement}", None)

    def run(self, name: str, **params: object) -> Rows:
        """Run the prepared statement `name`; the result is that of `sql`."""
        given = ", ".join(f"{key} := {literal(value)}" for key, value in params.items())
        return self._execute(name, f"execute {identifier(name)}({given})", None)

    @contextmanager
    def view(self, name: str, select: str) -> Iterator[None]:
        """A temporary view of `select`, while the block runs."""
        self.sql(f"create or replace temp view {identifier(name)} as {select}")
        drop = f"drop view if exists {identifier(name)}"
        try:
            yield
        except BaseException:
            with suppress(RelationError):  # A transaction that failed takes it along.
                self.sql(drop)
            raise
        self.sql(drop)

    def write_file(self, target: Path, name: str, **params: object) -> None:
        """Write the relation `name` to a Parquet file, or to JSON Lines if `target` ends so."""
        kind = "format json" if target.suffix == ".jsonl" else "format parquet, compression zstd"
        self._execute(
            name, f"copy (\n{relation_sql(name)}) to {quoted(str(target))} ({kind})", params
        )

    def snapshot(self) -> int:
        """The id of the newest lake snapshot; of the one looked back to, where that is so."""
        if self._looks_back_to is not None:
            return self._looks_back_to
        row = self.sql("select id from lake.current_snapshot()").fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def timed(self) -> Iterator[dict[str, float]]:
        """Yields the seconds by relation of what runs in the block, counted as it goes."""
        self._seconds = {}
        try:
            yield self._seconds
        finally:
            self._seconds = None

    @contextmanager
    def reading(self) -> Iterator[int]:
        """Several queries over one and the same lake snapshot; yields its id. May be nested.

        What is staged in it stays.
        """
        if self._reading is not None:
            yield self._reading
            return
        self.sql("begin")
        try:
            self._reading = self.snapshot()
            yield self._reading
            self.sql("commit")
        except BaseException:
            self.sql("rollback")
            raise
        finally:
            self._reading = None

    def has_snapshot(self, snapshot: int) -> bool:
        """Whether the lake still keeps it."""
        query = "select 1 from lake.snapshots() where snapshot_id = $snapshot"
        return self.sql(query, {"snapshot": snapshot}).fetchone() is not None

    def look_back(self, snapshot: int) -> None:
        """From now on, read the lake as it was at a snapshot; nothing can be written.

        Raises
        ------
        SnapshotGone
            The lake keeps no history of then, or had other tables.
        """
        if not self.has_snapshot(snapshot):
            held = self.sql("select min(snapshot_id), max(snapshot_id) from lake.snapshots()")
            oldest, newest = held.fetchone()
            raise SnapshotGone(
                f"Lake snapshot {snapshot} is not kept; there are some from {oldest} to {newest}. "
                "History ends after some days, and with an erasure."
            )
        self.sql("detach lake")
        self._attach(snapshot, read_only=True)
        self._looks_back_to = snapshot
        if self._lake_version() != migrations.LAKE.newest:
            raise SnapshotGone(
                f"Lake snapshot {snapshot} is from before the lake's tables were upgraded."
            )

    # --- writing

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the workspace's write lock; may be nested."""
        if self._depth:
            yield
            return
        catalog = self._catalog_url
        with write_lock(self.path / "write.lock", catalog, self.settings.lock_timeout_seconds):
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1

    @contextmanager
    def publish(self, message: str) -> Iterator[None]:
        """One lake transaction under the write lock: all of it, or none."""
        if self._looks_back_to is not None:
            raise WorkspaceError("This workspace looks back to a snapshot: it can only be read.")
        with self.lock():
            self.sql("begin")
            try:
                self.sql("call lake.set_commit_message('mi', $message)", {"message": message})
                yield
                self.sql("commit")
            except BaseException:
                self.sql("rollback")
                raise

    def maintain(self, *, keep_days: int = 7) -> None:
        """Merge small files, restore the sort order, let go of snapshots older than `keep_days`.

        At least 2 days are kept: a SQLite catalog compares dates, not times, so that a shorter
        period would take files that a running query reads.
        """
        days = max(2, keep_days)
        with self.lock():
            self.sql("call ducklake_merge_adjacent_files('lake')")
            for call in ("ducklake_expire_snapshots", "ducklake_cleanup_old_files"):
                self.sql(f"call {call}('lake', older_than => now() - interval {days} day)")

    # --- definitions

    def load_definitions(self, definitions: "Definitions") -> None:
        """Put the definitions at hand for relations, as temporary tables."""
        # In one transaction: otherwise each statement would look the lake up anew.
        self.sql("begin")
        for table, method in DEFINITION_TABLES.items():
            self.load_rows(table, getattr(definitions, method)())
        for name in VIEWS:
            select = relation_sql(f"views/{name}")
            self.sql(f"create or replace temp view {name} as\n{select}")
        self.sql("commit")

    def load_rows(
        self,
        table: str,
        rows: Sequence[Mapping[str, object]],
        columns: Mapping[str, str] | None = None,
    ) -> None:
        """Put rows of plain values into the temporary table `table`; `columns` gives its types."""
        self.sql(
            f"create or replace temp table {identifier(table)} as "
            "select unnest(from_json($rows, $shape), recursive := true)",
            {"rows": json.dumps(rows), "shape": json.dumps([columns or shape(rows)])},
        )

    def load_arrays(self, table: str, columns: "Mapping[str, np.ndarray]") -> None:
        """Put arrays of one length, as columns by name, into the temporary table `table`."""
        self.connection.register("loaded_arrays", dict(columns))
        try:
            self.sql(f"create or replace temp table {identifier(table)} as from loaded_arrays")
        finally:
            self.connection.unregister("loaded_arrays")

    # --- inner parts

    def _set_up(self) -> None:
        remote = self.settings.catalog_url or self.settings.state_url
        for name in ("ducklake", "sqlite_scanner", *(["postgres_scanner"] if remote else [])):
            self.connection.execute(f"load '{_extension(name)}'")
        # Those came with this package's own wheels, which the installer checked: DuckDB would take
        # 100 ms to check one once more. What a query might load, it does check.
        self.connection.execute("set allow_unsigned_extensions = false")
        # Inlined rows break connections that live across a flush; off before the first table is.
        self.connection.execute("set ducklake_default_data_inlining_row_limit = 0")

    def _attach_lake(self) -> None:
        self._attach()
        if self._lake_version() != migrations.LAKE.newest:
            self._migrate_lake()

    def _attach(self, snapshot: int | None = None, *, read_only: bool = False) -> None:
        files = self.path / "lake"
        if self._catalog_url:
            dsn = f"postgres:{self._log_in('catalog_login', self._catalog_url)}"
            extra = "metadata_schema 'lake', meta_secret 'catalog_login'"
        else:
            dsn = f"sqlite:{self.path / 'catalog.sqlite'}"
            # The catalog remembers where its files lie, but the folder may have been moved.
            extra = "meta_journal_mode 'WAL', busy_timeout 30000, override_data_path true"
        if snapshot is not None:
            extra += f", snapshot_version {snapshot}"
        if read_only:
            extra += ", read_only"
        attach = (
            f"attach {quoted('ducklake:' + dsn)} as lake (data_path {quoted(f'{files}/')}, {extra})"
        )
        # In turn, because the first to attach makes the catalog; a moment each, writers or not.
        with file_lock(self.path / "open.lock", self.settings.lock_timeout_seconds):
            self.connection.execute(attach)

    def _migrate_lake(self) -> None:
        with self.lock():
            version = self._lake_version()
            migrations.LAKE.check(version, self.path)
            if version == 0:
                self.connection.execute("call lake.set_option('data_inlining_row_limit', 0)")
                self.connection.execute("call lake.set_option('parquet_compression', 'zstd')")
            for step in migrations.LAKE.after(version):
                with self.publish(f"schema version {step.version}"):
                    self.sql("use lake")
                    try:
                        self.sql(step.sql)
                    finally:
                        self.sql("use memory")
                    self.sql("delete from lake.schema_version")
                    self.sql("insert into lake.schema_version values ($v)", {"v": step.version})
            if version < _LOOKED_UP_SINCE:
                for table, rows in _LOOKED_UP.items():
                    option = f"'parquet_row_group_size', {rows}, table_name => {quoted(table)}"
                    self.connection.execute(f"call lake.set_option({option})")

    def _lake_version(self) -> int:
        # Asked of the table itself: a list of tables takes a look into each of them.
        try:
            query = "select max(version) from lake.schema_version"
            row = Rows(self.connection.execute(query)).fetchone()
        except duckdb.CatalogException:
            return 0
        return int(row[0]) if row and row[0] is not None else 0

    def _attach_state(self) -> None:
        if self.settings.state_url:
            source = self._log_in("state_login", self.settings.state_url.get_secret_value())
            kind = "postgres, secret state_login"
        else:
            source, kind = str(self.path / "state.sqlite"), "sqlite"
        self.connection.execute(f"attach {quoted(source)} as state (type {kind}, read_only)")
        self.has_state = True

    def _log_in(self, secret: str, url: str) -> str:
        """What to connect to, less the password: DuckDB quotes it in errors and its catalog."""
        from psycopg.conninfo import conninfo_to_dict, make_conninfo

        parts: dict[str, Any] = dict(conninfo_to_dict(url))
        password = quoted(str(parts.pop("password", "")))
        self.connection.execute(f"create secret {secret} (type postgres, password {password})")
        return make_conninfo(**parts)

    def _execute(
        self, name: str, query: str, params: Mapping[str, object] | Sequence[object] | None
    ) -> Rows:
        started = time.perf_counter()
        try:
            with plain_values():
                result = Rows(self.connection.execute(query, params or None))
        except duckdb.Error as error:
            kind = UnreadableData if isinstance(error, _OF_DATA) else RelationError
            raise _failed(f"Relation {name} failed", error, kind) from error
        seconds = time.perf_counter() - started
        log.debug("%s: %.1f ms", name, 1000 * seconds)
        if self._seconds is not None:
            self._seconds[name] = self._seconds.get(name, 0.0) + seconds
        return result


def _extension(name: str) -> str:
    """The extension's file inside its wheel: nothing is downloaded or copied."""
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    folders = list(spec.submodule_search_locations or []) if spec else []
    if not folders:
        raise WorkspaceError(f"The Python package duckdb-extension-{name} is not installed.")
    return f"{folders[0]}/extensions/v{duckdb.__version__}/{name}.duckdb_extension"


def _for_polars(result: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """`result` as Polars can hold it: intervals and unions as text, each column of another name."""
    if len(set(result.columns)) < len(result.columns):
        result = result.select(duckdb.StarExpression())
    is_foreign = ["INTERVAL" in str(each) or "UNION(" in str(each) for each in result.types]
    if not any(is_foreign):
        return result
    columns = zip(map(duckdb.ColumnExpression, result.columns), is_foreign, strict=True)
    return result.select(*(c.cast("varchar").alias(c.get_name()) if f else c for c, f in columns))


_OF_MACHINE = (duckdb.IOException, duckdb.ConnectionException)
"""What DuckDB raises where a file or a database can't be had."""


def _closed(said: str, error: duckdb.Error) -> WorkspaceError:
    kind = Unreachable if isinstance(error, _OF_MACHINE) else WorkspaceError
    return kind(f"{said}: {_plain(error)}")


def _failed(
    said: str, error: duckdb.Error, kind: type[RelationError] = RelationError
) -> RelationError:
    failed = kind(f"{said}: {_plain(error)}")
    failed.may_pass = isinstance(error, _OF_MACHINE)
    return failed


def _plain(error: duckdb.Error) -> str:
    """DuckDB's message without its source excerpt."""
    text = str(error).split("\n\nLINE ", 1)[0].strip()
    return text if text.endswith("?") else text.rstrip(".") + "."
