"""A workspace in which people left traces wherever a person can, and a search of every byte."""

import json
import shutil
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from exports import Event, event, identify, write_export

from mi_core.person import find_person
from mi_core.workspace import Workspace

AS_OF = datetime(2024, 6, 10, tzinfo=UTC)
PEOPLE = 4
OURS = ("hash.keys", "overlay.toml")
"""Files of a workspace that hold nothing of anybody."""


def who(number: int) -> str:
    return f"product id {number}"


def address(number: int) -> str:
    return f"jane{number}@planted-{number}.com"


def events_of(number: int) -> list[Event]:
    """Two devices, a person at PostHog, and values that nobody else has."""
    told = {"screen": f"planted-{number}-screen", "exp_door": f"planted-{number}-variant"}
    more = {"person": f"person {number}", "session": f"planted-{number}-session"}
    held = told | {"utm_source": "google"}
    return [
        event("$pageview", f"device {number}", "06-01 10:00", held, **more),
        identify(who(number), f"device {number}", "06-01 10:05", **more),
        event("pricing_viewed", who(number), "06-05 09:00", told, key="a", **more),
        event("purchase", who(number), "06-06 09:00", {"price_cents": 100 + number}, **more),
    ]


def fill(workspace: Workspace, exports: Path) -> int:
    """Let people leave their traces; returns the number of the one with the least user_id.

    That one's hash is a bound in the lake's catalog, also of whole tables.
    """
    rows = [row for number in range(PEOPLE) for row in events_of(number)]
    workspace.ingest([write_export(exports / "first.parquet", rows)])
    workspace.score(AS_OF)
    workspace.ingest([write_export(exports / "one.jsonl", [_late(n) for n in range(PEOPLE)])])
    # Again from another source; then one that is drained, and one that isn't.
    workspace.post([events_of(n)[3] for n in range(PEOPLE)], source="webhook")
    workspace.post([event("app_open", who(n), "06-08 10:00") for n in range(PEOPLE)])
    workspace.drain()
    workspace.score(AS_OF.replace(day=12))
    workspace.post([event("app_open", who(n), "06-09 10:00") for n in range(PEOPLE)])
    _enrich(workspace)
    ids = user_ids(workspace)
    _tell_of_churn(workspace, ids)
    _leave_files(workspace, ids)
    return min(range(PEOPLE), key=lambda number: ids[number])


def _late(number: int) -> Event:
    return event("feature_used", who(number), "06-07 08:00", {"feature": f"planted-{number}-late"})


def user_ids(workspace: Workspace) -> list[str]:
    return [user_id(workspace, who(number)) for number in range(PEOPLE)]


def user_id(workspace: Workspace, written: str) -> str:
    return str(find_person(workspace.warehouse, workspace.keys.hashes(written)))


def _enrich(workspace: Workspace) -> None:
    """Leads through and waiting, of a company each and of one that all share."""
    put = workspace.enrichment.put
    put([{"email": address(n), "user_id": who(n), "name": "Jane Roe"} for n in range(PEOPLE)])
    workspace.enrichment.work(None)
    put([{"email": f"j{n}@planted-{n}.com", "user_id": who(n)} for n in range(PEOPLE)])
    profiles = [f"planted-{n}.com" for n in range(PEOPLE)] + ["shared.com"]
    with workspace.state.writing() as transaction:
        for number, domain in enumerate(profiles):
            transaction.change(
                "insert into company_profile (domain, facts) values (:domain, :facts)"
                " on conflict (domain) do update set facts = excluded.facts",
                domain=domain,
                facts=json.dumps({"name": f"company {number}"}),
            )
        leads = transaction.rows("select user_id, lead_id from user_identity order by user_id")
        for number, lead in enumerate(leads):
            transaction.change(
                "insert into enrichment_step (lead_id, step, source, provider, answer, done_at)"
                " values (:lead, 'social', 'paid', 'rapidapi', :answer, :at)",
                lead=lead["lead_id"],
                answer=json.dumps({"found": f"mark-{lead['user_id']}"}),
                at=AS_OF,
            )
            transaction.change(
                "insert into enrichment_call (call_id, user_id, lead_id, step, provider, status,"
                " cost_micros, most_micros, request_id, error, called_at) values (:call_id, :user,"
                " :lead, 'social', 'rapidapi', 'ok', :cost, 900, :request, :error, :at)",
                call_id=f"call {number}",
                user=lead["user_id"],
                lead=lead["lead_id"],
                cost=100 + number,
                request=f"mark-{lead['user_id']}",
                error=f"mark-{lead['user_id']}",
                at=AS_OF,
            )


def _tell_of_churn(workspace: Workspace, ids: list[str]) -> None:
    with workspace.state.writing() as transaction:
        transaction.change_each(
            "insert into churn_notice (user_id, crossed_at, risk) values (:user, :at, 80)",
            [{"user": each, "at": AS_OF} for each in ids],
        )


def _leave_files(workspace: Workspace, ids: list[str]) -> None:
    """What reports, a quarantine and an interrupted ingest leave, and a publish that was killed."""
    folder = workspace.path
    for name in ("reports", "quarantine", "staging"):
        (folder / name).mkdir(exist_ok=True)
    for number, user_id in enumerate(ids):
        (folder / "reports" / f"page-{number}.html").write_text(f"<code>{user_id}</code>")
    (folder / "reports" / "nobody.html").write_text("<h1>Nobody</h1>")
    rows = [{"event_id": events_of(number)[0]["uuid"], "reason": "r"} for number in range(PEOPLE)]
    (folder / "quarantine" / "b.jsonl").write_text("".join(f"{json.dumps(r)}\n" for r in rows))
    data = sorted((folder / "lake" / "main" / "user_event").rglob("*.parquet"))[0]
    shutil.copy(data, folder / "staging" / "left.parquet")
    shutil.copy(data, data.with_name("orphan.parquet"))


def traces(workspace: Workspace, number: int) -> dict[str, list[str]]:
    """What tells of a person, by kind: hashes stay by design, nothing else does."""
    hashes = {
        str(each)
        for text in (who(number), f"device {number}", f"person:person {number}")
        for each in workspace.keys.hashes(text)
    }
    hashes |= {str(each) for each in workspace.keys.hashes(f"j{number}@planted-{number}.com")}
    events = [*events_of(number), _late(number)]
    own = f"mark-{workspace.keys.hashes(who(number))[0]}"
    return {
        "hashes": sorted(hashes),
        "values": [f"planted-{number}", own, *(row["uuid"] for row in events)],
    }


def found(folder: Path, needles: Iterable[str]) -> dict[str, set[str]]:
    """Where each needle stands: as text, as hex without dashes, as the bytes of a uuid; by file."""
    forms = {needle: _forms(needle) for needle in needles}
    where: dict[str, set[str]] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        if file.name in OURS:
            continue
        content = str(file).encode() + file.read_bytes()
        if file.suffix == ".parquet":
            content += _decoded(file)
        for needle, written in forms.items():
            if any(each in content for each in written):
                where.setdefault(needle, set()).add(_kind(file.relative_to(folder)))
    return where


def _forms(needle: str) -> list[bytes]:
    bare = needle.replace("-", "")
    is_uuid = len(bare) == 32 and not set(bare) - set("0123456789abcdef")
    return [needle.encode(), *([bare.encode(), bytes.fromhex(bare)] if is_uuid else [])]


def _decoded(file: Path) -> bytes:
    rows = duckdb.execute("select to_json(t) from read_parquet($1) as t", [str(file)]).fetchall()
    return "\n".join(row[0] for row in rows).encode()


def _kind(path: Path) -> str:
    """The table of a lake file; else the file."""
    return f"lake {path.parts[2]}" if path.parts[0] == "lake" else path.name.split("-")[0]


def without_tombstones(folder: Path, copy: Path) -> Path:
    """A copy of the workspace whose state knows nobody who was erased."""
    shutil.copytree(folder, copy)
    with sqlite3.connect(copy / "state.sqlite") as connection:
        connection.execute("pragma secure_delete = on")
        connection.execute("delete from erased_id")
    connection.execute("vacuum")
    connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    return copy


Rows = dict[str, list[tuple[Any, ...]]]


def rows_of_others(workspace: Workspace, gone: Iterable[str]) -> Rows:
    """All rows of lake and state in which none of the hashes or events of `gone` stands."""
    needles = set(gone)
    tables = workspace.warehouse.sql(
        "select database_name || '.' || table_name from duckdb_tables()"
        " where database_name in ('lake', 'state') and schema_name in ('main', 'public')"
        " and table_name not in"
        " ('erasure', 'erased_id', 'enrichment_call', 'ingest_watermark', 'workspace_meta')"
        " order by 1"
    ).fetchall()
    held = {}
    for (table,) in tables:
        rows = workspace.warehouse.sql(f"select * from {table} order by all").fetchall()
        held[table] = [row for row in rows if not any(_has(row, each) for each in needles)]
    return held


def _has(row: tuple[Any, ...], needle: str) -> bool:
    return any(needle in str(value) for value in row)
