"""Small rows that need unique keys and cheap updates: inbox, personas, configurations, erasures.

SQLite (WAL, every commit on disk) in the workspace, or PostgreSQL; the only module that knows
SQLAlchemy. The lake's connection reads the same tables as `state.<table>`; all writes come through
here.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event

from mi_core import migrations
from mi_core import state_sql as sql
from mi_core.errors import UnknownName, Unreachable, WorkspaceError
from mi_core.settings import Settings

QUEUE_KEY, LEDGER_KEY, INBOX_KEY = 4_711_004, 4_711_005, 4_711_002
CONFIG_KEY = 4_711_006
"""Of `one_at_a_time`: for what changes several leads, what changes their calls, what posts, and
what proposes definitions or puts them in force.

Whoever takes several takes them in this order, so that nobody waits in a circle.
"""
_AT_ONCE = 10_000
"""Values in a query; SQLite takes 32,766."""
_PRAGMAS = (
    "journal_mode = wal",
    "synchronous = full",
    "foreign_keys = on",
    "secure_delete = on",  # what is erased leaves no bytes behind
)
_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}
_IDENTITY = {"sqlite": "integer primary key autoincrement"}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Posted:
    """What became of events that were put into the inbox, one by one."""

    is_new: tuple[bool, ...]

    @property
    def accepted(self) -> int:
        return sum(self.is_new)

    @property
    def duplicates(self) -> int:
        return len(self.is_new) - self.accepted


class Transaction:
    """Statements in the SQL that both engines share: all of them take effect, or none.

    Parameters are bound by name; times with a zone are written in UTC. `moment` reads them back.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._is_postgresql = connection.dialect.name == "postgresql"

    @property
    def skip_locked(self) -> str:
        """What ends a query for rows to change, so that two writers at once get different ones."""
        return " for update skip locked" if self._is_postgresql else ""

    def rows(self, query: str, **bound: object) -> list[dict[str, Any]]:
        """The rows of a query, or of a statement that returns some."""
        found = self._connection.execute(sa.text(query), _bindable(bound))
        return [dict(row) for row in found.mappings()]

    def change(self, statement: str, **bound: object) -> int:
        """Run a statement; returns how many rows it touched."""
        return self._connection.execute(sa.text(statement), _bindable(bound)).rowcount

    def change_each(self, statement: str, rows: Sequence[Row]) -> None:
        """Run a statement once for each row of parameters."""
        if rows:
            self._connection.execute(sa.text(statement), [_bindable(row) for row in rows])

    def known(self, table: str, column: str, values: Sequence[str]) -> set[str]:
        """Which of `values` the column holds."""
        query = sa.text(f"select {column} from {table} where {column} in :some")
        some: sa.BindParameter[str] = sa.bindparam("some", expanding=True)
        found: set[str] = set()
        for start in range(0, len(values), _AT_ONCE):
            bound = {"some": list(values[start : start + _AT_ONCE])}
            found.update(self._connection.execute(query.bindparams(some), bound).scalars())
        return found

    def one_at_a_time(self, key: int) -> None:
        """Wait until no other transaction holds `key`; SQLite has one writer anyway."""
        if self._is_postgresql:
            self.change("select pg_advisory_xact_lock(:key)", key=key)


class State:
    """The state database of one workspace."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, path: Path, settings: Settings, *, is_alone: bool = False) -> "State":
        """Open the state of the workspace at `path`, made or upgraded where needed.

        `is_alone` says that nothing else in this process reads SQLite's file; then its connection
        stays open, which makes a small write several times quicker.

        Raises
        ------
        WorkspaceError
            The state was made by a newer version of this package, or can't be opened.
        Unreachable
            It can't be just now.
        """
        if settings.state_url:
            url = sa.make_url(settings.state_url.get_secret_value())
            engine = sa.create_engine(
                url.set(drivername="postgresql+psycopg"), hide_parameters=True
            )
        else:
            engine = _sqlite_engine(path / "state.sqlite", is_alone=is_alone)
        state = cls(engine)
        with ExitStack() as on_failure:
            on_failure.callback(state.close)
            try:
                state._migrate(path)
            except sa.exc.OperationalError as error:
                kind = Unreachable if _may_pass(error) else WorkspaceError
                raise kind(f"The state of {path} can't be opened: {error.orig}") from None
            on_failure.pop_all()
        return state

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """One transaction that writes."""
        with self._write() as connection:
            yield Transaction(connection)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One transaction that reads."""
        with self._connected() as connection, connection.begin():
            yield Transaction(connection)

    # --- what the workspace knows of itself

    def meta(self, name: str) -> str | None:
        query = "select value from workspace_meta where name = :name"
        with self._connected() as connection:
            found: str | None = connection.execute(sa.text(query), {"name": name}).scalar()
            return found

    def set_meta(self, name: str, value: str) -> None:
        upsert = (
            "insert into workspace_meta (name, value) values (:name, :value)"
            " on conflict (name) do update set value = excluded.value"
        )
        with self._write() as connection:
            connection.execute(sa.text(upsert), {"name": name, "value": value})

    # --- inbox

    def post(
        self,
        events: Sequence[tuple[str, str]],
        received_at: datetime,
        *,
        within: Transaction | None = None,
    ) -> Posted:
        """Put events, `(event_id, JSON past the privacy door)`, into the inbox.

        They are on disk when this returns, or when the transaction `within` ends. The id is what
        makes a second delivery a duplicate.
        """
        insert = (
            "insert into inbox (event_id, received_at, body)"
            " values (:event_id, :received_at, :body) on conflict (event_id) do nothing"
        )
        with self._joined(within) as transaction:
            # Numbers must become visible in their order: the drain keeps only the newest.
            transaction.one_at_a_time(INBOX_KEY)
            known = transaction.known("inbox", "event_id", [key for key, _ in events])
            is_new = []
            for key, _ in events:
                is_new.append(key not in known)
                known.add(key)
            fresh = [
                {"event_id": key, "received_at": received_at, "body": body}
                for (key, body), new in zip(events, is_new, strict=True)
                if new
            ]
            transaction.change_each(insert, fresh)
        return Posted(tuple(is_new))

    def note_webhooks(
        self, webhook_ids: Iterable[str], received_at: datetime, *, within: Transaction | None
    ) -> None:
        """Remember signed deliveries by their ids."""
        insert = (
            "insert into webhook_delivery (webhook_id, received_at)"
            " values (:webhook_id, :received_at) on conflict (webhook_id) do nothing"
        )
        rows = [{"webhook_id": each, "received_at": received_at} for each in webhook_ids]
        with self._joined(within) as transaction:
            transaction.change_each(insert, rows)

    def inbox_after(self, seq: int) -> tuple[int, datetime | None]:
        """How many events wait in the inbox behind number `seq`, and since when."""
        query = "select count(*) as events, min(received_at) as since from inbox where seq > :seq"
        with self.reading() as transaction:
            [row] = transaction.rows(query, seq=seq)
        return row["events"], moment(row["since"])

    def prune_inbox(self, seq: int, received_before: datetime) -> int:
        """Delete what the lake holds (up to `seq`) and no sender will repeat; returns how many."""
        with self.writing() as transaction:
            transaction.change(
                "delete from webhook_delivery where received_at < :before", before=received_before
            )
            return transaction.change(
                "delete from inbox where seq <= :seq and received_at < :before",
                seq=seq,
                before=received_before,
            )

    # --- personas

    def seed_personas(self, buckets: Iterable[Row]) -> None:
        """Write the persona buckets: slug, position, label, description, intent_level, traits."""
        upsert = (
            "insert into persona_bucket"
            " (slug, position, label, description, intent_level, traits)"
            " values (:slug, :position, :label, :description, :intent_level, :traits)"
            " on conflict (slug) do update set position = excluded.position,"
            " label = excluded.label, description = excluded.description,"
            " intent_level = excluded.intent_level, traits = excluded.traits"
        )
        rows = [{**bucket, "traits": json.dumps(bucket["traits"])} for bucket in buckets]
        with self._write() as connection:
            connection.execute(sa.text(upsert), rows)

    def assign_personas(
        self,
        rows: Iterable[tuple[str, str, float]],
        *,
        source: str,
        assigned_at: datetime,
        within: Transaction | None = None,
    ) -> int:
        """Assign `(user_id, slug, confidence)`; returns how many assignments changed.

        A weaker source never overwrites a stronger one, an older assignment never a newer one, and
        what is overwritten stays as history.
        """
        if source not in sql.STRENGTH:
            raise UnknownName("persona source", source, sql.STRENGTH)
        incoming = [{"user_id": u, "slug": s, "confidence": c} for u, s, c in rows]
        if not incoming:
            return 0
        assigned = {"source": source, "at": assigned_at}
        with self._joined(within) as transaction:
            for statement in sql.STAGE_INCOMING:
                transaction.change(statement)
            transaction.change_each(sql.INCOMING, incoming)
            transaction.change(sql.NOT_OF_THE_ERASED)
            transaction.change(sql.SUPERSEDE, strength=sql.STRENGTH[source], **assigned)
            changed = transaction.change(sql.ASSIGN, **assigned)
            transaction.change("drop table incoming_persona")
        return changed

    def persona_of(self, user_id: str, as_of: datetime) -> Row | None:
        """The persona in force at `as_of`: slug, confidence, source; None where none is."""
        query = (
            "select slug, confidence, source from user_persona"
            " where user_id = :user_id and assigned_at <= :at"
            " and (superseded_at is null or superseded_at > :at)"
        )
        return self._one(query, {"user_id": user_id, "at": _naive(as_of)})

    def assignment_of(self, user_id: str) -> Row | None:
        """The persona now in force: confidence, source, assigned_at, and its bucket's columns."""
        query = (
            "select p.confidence, p.source, p.assigned_at, b.slug, b.label, b.description,"
            " b.intent_level, b.traits from user_persona as p join persona_bucket as b"
            " on b.slug = p.slug where p.user_id = :user_id and p.superseded_at is null"
        )
        row = self._one(query, {"user_id": user_id})
        if row is None:
            return None
        read = {"assigned_at": moment(row["assigned_at"]), "traits": json.loads(row["traits"])}
        return {**row, **read}

    def company_of(self, user_id: str, as_of: datetime) -> Row | None:
        """The person's company as known before `as_of`: company_size; None where it isn't."""
        query = (
            "select company_size from user_identity"
            " where user_id = :user_id and enriched_at < :at and company_size is not null"
        )
        return self._one(query, {"user_id": user_id, "at": _naive(as_of)})

    def move_people(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Let what is known of people follow them from one user_id to another, `(old, new)`.

        Where both have an assignment, the stronger source wins, then the later assignment, and the
        other one becomes history; where both were enriched, the one that got further stays.
        """
        moves = [{"old_id": old, "new_id": new} for old, new in pairs]
        if not moves:
            return
        with self.writing() as transaction:
            transaction.one_at_a_time(QUEUE_KEY)
            transaction.one_at_a_time(LEDGER_KEY)
            for statement in sql.STAGE_MOVES:
                transaction.change(statement)
            transaction.change_each(sql.MOVE, moves)
            for statement in sql.FOLLOW_MOVES:
                transaction.change(statement)

    # --- scoring configurations

    def register_config(self, version: str, body: str, *, created_at: datetime) -> None:
        """Keep the definitions that scores are computed with, and mark them as the active ones."""
        insert = (
            "insert into scoring_config (version, body, author, reason, created_at, is_active)"
            " values (:version, :body, 'definitions', 'definitions files of the workspace', :at, 0)"
            " on conflict (version) do nothing"
        )
        with self._write() as connection:
            bound = {"version": version, "body": body, "at": _naive(created_at)}
            connection.execute(sa.text(insert), bound)
            connection.execute(
                sa.text("update scoring_config set is_active = 0 where version <> :version"),
                {"version": version},
            )
            connection.execute(
                sa.text("update scoring_config set is_active = 1 where version = :version"),
                {"version": version},
            )

    def config(self, version: str) -> str:
        """The body of definitions that were once in force.

        Raises
        ------
        UnknownName
            None of that version were.
        """
        with self._connected() as connection:
            rows = connection.execute(sa.text("select version, body from scoring_config"))
            bodies = {row.version: row.body for row in rows}
        if version not in bodies:
            raise UnknownName("version of definitions", version, bodies)
        return str(bodies[version])

    # --- inner parts

    def _one(self, query: str, bound: Row) -> Row | None:
        with self._connected() as connection:
            row = connection.execute(sa.text(query), bound).mappings().first()
            return dict(row) if row else None

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        with _reached(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _joined(self, within: Transaction | None) -> Iterator[Transaction]:
        """The transaction `within`, or one of its own."""
        if within is not None:
            yield within
            return
        with self.writing() as transaction:
            yield transaction

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with self._connected() as opened:
            connection = opened.execution_options(mi_write=True)
            with connection.begin():
                yield connection

    def _migrate(self, path: Path) -> None:
        if self._version() == migrations.STATE.newest:
            return
        with self._write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    sa.text("select pg_advisory_xact_lock(:key)"), {"key": 4_711_003}
                )
            version = self._version(connection)
            migrations.STATE.check(version, path)
            for step in migrations.STATE.after(version):
                for statement in _statements(step.sql, connection.dialect.name):
                    connection.exec_driver_sql(statement)
                connection.exec_driver_sql("delete from schema_version")
                connection.exec_driver_sql(f"insert into schema_version values ({step.version})")

    def _version(self, connection: sa.Connection | None = None) -> int:
        if connection is None:
            with self._engine.connect() as own:
                return self._version(own)
        if not sa.inspect(connection).has_table("schema_version"):
            return 0
        return int(
            connection.execute(sa.text("select max(version) from schema_version")).scalar() or 0
        )


@contextmanager
def _reached() -> Iterator[None]:
    """What may go well a moment later is told apart from what never will."""
    try:
        yield
    except sa.exc.OperationalError as error:
        if not _may_pass(error):
            raise
        raise Unreachable("The state can't be reached, or is too busy; try again.") from None


def _may_pass(error: sa.exc.OperationalError) -> bool:
    # SQLite has the same error for a table that isn't there.
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code is None or code & 0xFF in _PASSING


def _sqlite_engine(file: Path, *, is_alone: bool) -> sa.Engine:
    # No connection outlives its work: DuckDB reads the same file with an SQLite of its own, and if
    # one of two SQLites in a process closes the file, the system drops the locks of the other.
    engine = sa.create_engine(
        f"sqlite:///{file}",
        connect_args={"timeout": 60},
        poolclass=sa.QueuePool if is_alone else sa.NullPool,
        hide_parameters=True,
    )

    @sa_event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        for pragma in _PRAGMAS:
            connection.execute(f"pragma {pragma}")

    @sa_event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A writer takes its lock at once: upgrading a read to a write fails without waiting.
        writes = connection.get_execution_options().get("mi_write")
        connection.exec_driver_sql("begin immediate" if writes else "begin")

    return engine


def _statements(script: str, dialect: str) -> list[str]:
    """The statements of a migration, without comments, in the dialect's wording."""
    lines = [line.split("--")[0].rstrip() for line in script.splitlines()]
    text = "\n".join(line for line in lines if line)
    text = text.replace(
        "bigint generated always as identity primary key",
        _IDENTITY.get(dialect, "bigint generated always as identity primary key"),
    )
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def moment(stored: datetime | str | None) -> datetime | None:
    """A time as a query of the state gives it, with its zone: text on SQLite."""
    if stored is None:
        return None
    at = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return at.replace(tzinfo=UTC)


def _bindable(bound: Row) -> dict[str, Any]:
    return {k: _naive(v) if isinstance(v, datetime) else v for k, v in bound.items()}


def _naive(moment: datetime) -> str:
    """UTC without an offset, in the one text form that both engines sort and read."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
