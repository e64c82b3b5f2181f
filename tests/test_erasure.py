"""Forgetting a person: no byte of them is left, nothing of others is touched. And telling them."""

import json
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from erasure_people import (
    AS_OF,
    PEOPLE,
    address,
    events_of,
    fill,
    found,
    rows_of_others,
    traces,
    user_id,
    who,
    without_tombstones,
)
from exports import alias, event, identify, write_export
from stores import new_workspace
from typer.testing import CliRunner

from mi_core import erasure
from mi_core.cli import app
from mi_core.doctor import examine
from mi_core.erasure import lake, records
from mi_core.erasure.places import LAKE, OF_NOBODY, STATE
from mi_core.errors import WorkspaceError
from mi_core.ingest.erased import ERASED
from mi_core.ingest.standing import StandingDoor
from mi_core.settings import load_settings
from mi_core.workspace import Workspace, open_workspace

EVERYWHERE = {
    "catalog.sqlite",
    "state.sqlite",
    "b.jsonl",
    "page",
    "left.parquet",
    *(f"lake {place.table}" for place in LAKE),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A workspace full of traces, to be copied, and the number of the person to forget."""
    folder = tmp_path_factory.mktemp("filled")
    with new_workspace(folder / "workspace") as workspace:
        number = fill(workspace, folder)
    return folder / "workspace", number


@pytest.fixture
def copied(filled: tuple[Path, int], tmp_path: Path) -> Iterator[tuple[Workspace, int]]:
    shutil.copytree(filled[0], tmp_path / "workspace")
    with open_workspace(tmp_path / "workspace") as workspace:
        yield workspace, filled[1]


def count(workspace: Workspace, query: str) -> int:
    return int(workspace.sql(query).item())


def money(workspace: Workspace) -> list[tuple[Any, ...]]:
    query = (
        "select provider, called_at::date, count(*), sum(cost_micros), sum(most_micros)"
        " from state.enrichment_call group by all order by all"
    )
    return workspace.warehouse.sql(query).fetchall()


# --- every byte


def test_every_byte_of_a_person_goes_and_none_of_anybody_else(
    copied: tuple[Workspace, int], tmp_path: Path
):
    workspace, number = copied
    workspace.drain()
    told = traces(workspace, number)
    needles = [*told["hashes"], *told["values"]]
    before = found(workspace.path, needles)
    others, spent = rows_of_others(workspace, needles), money(workspace)
    events = count(workspace, "select count(*) from lake.analytics_events")

    receipt = workspace.forget(who(number))

    assert set(before) == set(needles)
    assert set().union(*before.values()) >= EVERYWHERE - {"lake touched_user"}
    after = found(without_tombstones(workspace.path, tmp_path / "copy"), needles)
    assert after == {}
    assert rows_of_others(workspace, needles) == others
    assert money(workspace) == spent
    assert receipt.finished_at is not None
    assert receipt.was_known
    assert receipt.rows["lake.analytics_events"] == events // PEOPLE
    assert receipt.rows["lake.event_delivery"] == 1
    assert receipt.rows["state.inbox"] == 4
    assert receipt.rows["state.enrichment_call"] >= 1
    assert receipt.rows["state.company_profile"] == 1
    assert receipt.reports == [f"page-{number}.html"]
    assert receipt.files["quarantine_lines"] == 1
    left = sorted(path.name for path in (workspace.path / "reports").iterdir())
    assert left == sorted(
        ["index.html", "nobody.html", *(f"page-{n}.html" for n in range(PEOPLE) if n != number)]
    )


def test_it_is_so_on_postgresql_too(postgres_url: str, tmp_path: Path):
    settings = load_settings(catalog_url=postgres_url, state_url=postgres_url)
    with open_workspace(tmp_path / "workspace", settings=settings) as workspace:
        workspace.post([*events_of(0), *events_of(1)])
        workspace.drain()
        workspace.post([event(who=who(0)), event(who=who(1))])
        put = [{"email": f"j{n}@planted-{n}.com", "user_id": who(n)} for n in (0, 1)]
        workspace.enrichment.put(put)
        told, others = traces(workspace, 0), traces(workspace, 1)
        needles = [*told["hashes"], *told["values"]]
        kept = in_database(postgres_url, [*others["hashes"], *others["values"]])
        assert {*told["hashes"], "planted-0"} <= in_database(postgres_url, needles)

        receipt = workspace.forget(who(0))

        assert receipt.finished_at is not None
        assert found(workspace.path, needles) == {}
        assert in_database(postgres_url, needles) <= set(told["hashes"])
        assert in_database(postgres_url, [*others["hashes"], *others["values"]]) == kept
        assert workspace.post([event(who=who(0), key="new")]).refused == {0: ERASED}


def in_database(url: str, needles: list[str]) -> set[str]:
    """Which of the needles stand in any row of the database, the catalog's own among them."""
    import psycopg

    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables"
            " where schemaname in ('lake', 'public')"
        ).fetchall()
        text = "\n".join(
            row[0]
            for (table,) in tables
            for row in connection.execute(f"select t::text from {table} as t").fetchall()
        )
    return {needle for needle in needles if needle in text}


# --- interrupted


class Killed(BaseException):
    """The end of a process, as far as one can be had without one."""


@contextmanager
def dying(module: Any, step: str, *, after: bool) -> Iterator[None]:
    """The process ends at `step`: before it, or when it just was done."""
    original: Callable[..., Any] = getattr(module, step)

    def last(*args: Any, **more: Any) -> Any:
        if after:
            original(*args, **more)
        raise Killed

    setattr(module, step, last)
    try:
        yield
    finally:
        setattr(module, step, original)


STEPS = (
    (lake, "delete_rows", True),
    (records, "finish", False),
)
KILLED = """
import os, signal, sys
from mi_core import open_workspace
from mi_core.erasure import lake
narrow = lake._narrow_bounds
lake._narrow_bounds = lambda warehouse: (narrow(warehouse), os.kill(os.getpid(), signal.SIGKILL))
open_workspace(sys.argv[1]).forget(sys.argv[2])
"""


def test_whatever_step_it_dies_at_the_next_run_goes_on(
    copied: tuple[Workspace, int], tmp_path: Path
):
    workspace, number = copied
    workspace.drain()
    told = traces(workspace, number)
    needles = [*told["hashes"], *told["values"]]
    others = rows_of_others(workspace, needles)
    with dying(records, "begin", after=False), pytest.raises(Killed):
        workspace.forget(who(number))
    assert erasure.unfinished(workspace.state) == []
    assert count(workspace, "select count(*) from state.inbox") == 4 * PEOPLE

    for turn, (module, step, after) in enumerate(STEPS):
        with dying(module, step, after=after), pytest.raises(Killed):
            # Whichever comes first: the same again, or the day's maintenance.
            _ = workspace.forget(who(number)) if turn % 2 == 0 else workspace.maintain()
        assert len(erasure.unfinished(workspace.state)) == 1
        assert workspace.post([event(who=who(number), key=step)]).refused == {0: ERASED}
    killed = [sys.executable, "-c", KILLED, str(workspace.path), who(number)]
    assert subprocess.run(killed, check=False).returncode < 0
    with workspace.state.writing() as transaction:
        # As of a transaction that had begun before.
        transaction.change(
            "insert into user_persona (user_id, slug, confidence, source, assigned_at)"
            " select :user, min(slug), 1, 'manual', :at from persona_bucket",
            user=told["hashes"][0],
            at=AS_OF,
        )
    check = next(each for each in examine(workspace.path) if each.name == "erasures")
    assert (check.is_well, check.finding) == (
        False,
        "an erasure is half done; finish with mi maintain",
    )
    assert workspace.maintain().erasures_finished == 1

    assert erasure.unfinished(workspace.state) == []
    assert found(without_tombstones(workspace.path, tmp_path / "copy"), needles) == {}
    assert rows_of_others(workspace, needles) == others
    held = json.loads(workspace.sql("select receipt from state.erasure").item())
    assert held["rows"]["lake.analytics_events"] == 8
    assert held["finished_at"]
    assert not any(needle in json.dumps(held) for needle in needles)


# --- who comes back


def test_nothing_brings_them_back(copied: tuple[Workspace, int], tmp_path: Path):
    workspace, number = copied
    receipt = workspace.forget(who(number))
    told = traces(workspace, number)
    rows = [*events_of(number), event(who="somebody new", person=f"person {number}")]
    unreadable = events_of(number)[2] | {"timestamp": "never"}
    other = 1 if number == 0 else 0
    links = [
        identify(who(other), f"device {number}", "06-11 10:00"),
        alias(who(other), who(number), "06-11 10:01", "$merge_dangerously"),
    ]

    # Files, alone and among others; a file of theirs alone is no damaged file.
    same = write_export(tmp_path / "first.parquet", events_of(number))
    summary = workspace.ingest([same])
    assert (summary.accepted, summary.rejected, summary.quarantine) == (0, {ERASED: 4}, None)
    mixed = write_export(tmp_path / "mixed.jsonl", [*rows, unreadable, *links])
    summary = workspace.ingest([mixed])
    assert (summary.accepted, summary.rejected, summary.quarantine) == (2, {ERASED: 6}, None)
    # Singly, and drained.
    taken = workspace.post([*rows])
    assert taken.refused == dict.fromkeys(range(5), ERASED)
    again = identify(who(other), f"device {number}", "06-11 11:00")
    assert workspace.post([again]).accepted == 1
    assert workspace.drain() == 1
    # Leads by id, by address, and both by a file.
    queued = workspace.enrichment.put(
        [
            {"email": "other@place.com", "user_id": who(number)},
            {"email": f"J{number}@Planted-{number}.com", "user_id": "somebody else"},
            {"email": "no address", "user_id": who(number)},
        ]
    )
    assert (queued.queued, queued.skipped_for) == (0, {"erased person": 2})

    hashes = [each for each in told["hashes"] if each != told["hashes"][-1]]
    workspace.score(AS_OF.replace(day=13))
    copy = without_tombstones(workspace.path, tmp_path / "copy")
    assert found(copy, [*hashes, f"planted-{number}"]) == {}
    moved = workspace.sql("select count(distinct user_id) from lake.identity_alias").item()
    assert moved == PEOPLE - 1
    an_old_key_keeps_them_out_too(workspace, number, tmp_path)

    # Unless they come back of their own will.
    assert workspace.let_in(f"device {number}") == receipt.hashes
    assert workspace.let_in(who(number)) == 0
    assert workspace.post(events_of(number)).accepted == 4
    assert workspace.drain() == 4
    put = {"email": address(number), "user_id": who(number)}
    assert workspace.enrichment.put([put]).queued == 1


def an_old_key_keeps_them_out_too(workspace: Workspace, number: int, tmp_path: Path) -> None:
    folder = shutil.copytree(workspace.path, tmp_path / "rotated")
    old = (folder / "hash.keys").read_text().strip()
    settings = load_settings(hash_keys=f"{'n' * 32},{old}")
    with open_workspace(folder, settings=settings) as rotated:
        other = identify(who(1 if number == 0 else 0), f"device {number}", "06-11 12:00")
        export = write_export(tmp_path / "again.jsonl", [*events_of(number), other])
        summary = rotated.ingest([export])
        assert (summary.accepted, summary.rejected) == (1, {ERASED: 4})
        assert rotated.post(events_of(number)).refused.keys() == {0, 1, 2, 3}
        lead = {"email": f"j{number}@planted-{number}.com"}
        assert rotated.enrichment.put([lead]).queued == 0
        known = {str(each) for each in rotated.keys.hashes(f"device {number}")}
        ids = rotated.warehouse.sql("select distinct_id_hash from lake.identity_alias").fetchall()
        assert not known & {str(row[0]) for row in ids}


# --- at the same time


def test_scores_computed_before_are_computed_again(
    copied: tuple[Workspace, int], monkeypatch: pytest.MonkeyPatch
):
    workspace, number = copied
    with open_workspace(workspace.path) as other:
        publish = other.warehouse.publish

        def late(message: str) -> Any:
            monkeypatch.undo()
            workspace.forget(who(number))
            return publish(message)

        monkeypatch.setattr(other.warehouse, "publish", late)
        summary = other.score(AS_OF + timedelta(days=3))

        hashes = "(select id_hash::uuid from state.erased_id)"
        for place in LAKE:
            if "user_id" in place.columns:
                theirs = f"select count(*) from lake.{place.table} where user_id in {hashes}"
                assert count(other, theirs) == 0
        assert count(other, "select count(*) from state.user_persona") == PEOPLE - 1
        assert (summary.users_scored, summary.mode) == (PEOPLE - 1, "full")


def test_events_past_the_door_when_it_happens_are_not_stored(
    copied: tuple[Workspace, int], monkeypatch: pytest.MonkeyPatch
):
    workspace, number = copied
    with open_workspace(workspace.path) as other:
        opened = StandingDoor.open

        def slow(*args: Any) -> Any:
            passed = opened(*args)
            workspace.forget(who(number))
            return passed

        monkeypatch.setattr(StandingDoor, "open", slow)
        link = identify(who(1 if number == 0 else 0), who(number), "06-11 10:00")
        taken = other.post([event(who=who(number), key="late"), link])

        assert (taken.accepted, taken.refused) == (1, {0: ERASED})
        body = other.sql("select body from state.inbox order by seq desc limit 1").item()
        assert json.loads(body)["linked_hash"] is None


def test_an_ingest_at_the_same_time_leaves_nothing_of_them(
    copied: tuple[Workspace, int], tmp_path: Path
):
    workspace, number = copied
    started = threading.Event()

    def ingest() -> None:
        with open_workspace(workspace.path) as other:
            for turn in range(1):
                rows = [event(who=who(n), key=f"turn {turn}") for n in range(PEOPLE)]
                export = write_export(tmp_path / f"{turn}.jsonl", rows)
                started.set()
                other.ingest([export])

    thread = threading.Thread(target=ingest)
    thread.start()
    started.wait(30)
    workspace.forget(who(number))
    thread.join()

    told = traces(workspace, number)
    copy = without_tombstones(workspace.path, tmp_path / "copy")
    assert found(copy, [*told["hashes"], *told["values"]]) == {}
    assert count(
        workspace,
        "select count(*) from lake.analytics_events where source = 'export'"
        " and event_name = 'feature_used'",
    ) == 2 * (PEOPLE - 1)


def test_a_query_under_way_reads_on_and_is_waited_for(copied: tuple[Workspace, int]):
    workspace, number = copied
    workspace.drain()
    query = "select count(*), count(distinct properties) from lake.analytics_events"
    begun, done = threading.Event(), threading.Event()
    seen: list[Any] = []

    def read() -> None:
        with open_workspace(workspace.path) as reader, reader.warehouse.reading():
            reader.warehouse.sql("select count(*) from lake.user_event").fetchall()
            begun.set()
            while not done.wait(0.05):
                pass
            seen.append(reader.warehouse.sql(query).fetchone())

    thread = threading.Thread(target=read)
    thread.start()
    begun.wait(60)
    hasty = load_settings(lock_timeout_seconds=0.3)
    with (
        open_workspace(workspace.path, settings=hasty) as other,
        pytest.raises(WorkspaceError, match=r"reading .* run mi maintain"),
    ):
        other.forget(who(number))
    assert len(erasure.unfinished(workspace.state)) == 1

    threading.Timer(0.5, done.set).start()
    assert workspace.maintain().erasures_finished == 1
    thread.join()
    # All the rows that the last query read were in files that are gone now.
    assert seen == [(8 * PEOPLE, 4 * PEOPLE + 2)]
    assert workspace.warehouse.sql(query).fetchone() != seen[0]


# --- who is meant


def test_an_address_is_its_person_and_that_of_a_lead_may_be_somebody_elses(workspace: Workspace):
    put = workspace.enrichment.put
    put(["Ann.Roe@Shared.com", {"email": "ann.roe@shared.com", "user_id": "ann"}])
    put([{"email": "boss@shared.com", "user_id": "bob"}])
    workspace.post([event(who=each) for each in ("ann", "bob", "boss@shared.com")])

    receipt = workspace.forget(" ANN.ROE@shared.com ")
    assert receipt.rows["state.user_identity"] == 2
    assert receipt.rows["lake.analytics_events"] == 1
    assert count(workspace, "select count(*) from state.user_identity") == 1
    assert put([{"email": "ann.roe@shared.com", "user_id": "carl"}]).queued == 0

    workspace.forget("bob")
    assert workspace.post([event(who="boss@shared.com", key="2")]).accepted == 1
    assert count(workspace, "select count(*) from lake.analytics_events") == 1


# --- what is held, told


def run(folder: Path, *arguments: str) -> tuple[str, str]:
    """What a command writes to standard output and standard error."""
    done = CliRunner().invoke(app, [*arguments, "--workspace", str(folder)])
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def test_everything_held_is_told_and_nothing_of_others(filled: tuple[Path, int]):
    folder, number = filled
    with open_workspace(folder) as workspace:
        document = workspace.export_person(who(number))
        told = traces(workspace, number)
        others = [traces(workspace, n) for n in range(PEOPLE) if n != number]
    tables: dict[str, Any] = {name: each["rows"] for name, each in document["tables"].items()}
    text = json.dumps(document)

    assert document["format"] == "mi-person/1"
    assert document["is_known"] is True
    places = [f"lake.{place.table}" for place in LAKE] + [f"state.{p.table}" for p in STATE]
    assert list(tables) == places
    empty = {"lake.touched_user", "state.erased_id", "lake.user_score_day"}
    assert {name for name, rows in tables.items() if not rows} <= empty
    assert [needle for needle in told["values"] if needle not in text] == []
    for other in others:
        assert [each for each in [*other["hashes"], *other["values"]] if each in text] == []
    [first] = [row for row in tables["lake.analytics_events"] if row["event_name"] == "$pageview"]
    assert first["properties"]["screen"] == f"planted-{number}-screen"
    assert first["experiments"] == {"door": f"planted-{number}-variant"}
    assert first["occurred_at"] == "2024-06-01T10:00:00+00:00"
    assert len(tables["lake.analytics_events"]) == len(tables["lake.user_event"]) == 6
    assert len(tables["state.inbox"]) == 4
    [lead] = tables["state.user_identity"]
    assert lead["waiting_address"]["email"] == f"j{number}@planted-{number}.com"
    assert "email_encrypted" not in lead
    assert "lease_token" not in lead
    [company] = tables["state.company_profile"]
    assert company["facts"] == {"name": f"company {number}"}
    assert [call["cost_micros"] for call in tables["state.enrichment_call"]] != []
    assert document["files"]["reports"] == [f"reports/page-{number}.html"]
    assert [row["reason"] for row in document["files"]["quarantine"]] == ["r"]


def test_a_link_between_two_people_is_told_of_neither_and_keeps_what_it_says_of_the_other(
    workspace: Workspace,
):
    workspace.post(
        [
            identify("ann", "device", "05-01 10:00"),
            identify("bob", "device", "05-01 11:00"),
            alias("bob", "bob's other id", "05-01 12:00"),
        ]
    )
    workspace.drain()
    theirs = {str(each) for name in ("device", "ann") for each in workspace.keys.hashes(name)}
    bob, document = user_id(workspace, "bob"), workspace.export_person("bob")

    assert not any(each in json.dumps(document) for each in theirs)
    assert len(document["tables"]["lake.identity_edge"]["rows"]) == 1
    assert len(workspace.export_person("ann")["tables"]["lake.identity_edge"]["rows"]) == 1

    # That link alone says that bob is identified, by which his user_id is chosen.
    workspace.forget("ann")
    workspace.post([alias("bob", "bob's third id", "05-02 12:00")])
    workspace.drain()
    ids = ("bob", "bob's other id", "bob's third id")
    assert {user_id(workspace, each) for each in ids} == {bob}


def test_the_commands(workspace: Workspace, tmp_path: Path):
    workspace.post([event(who="ann")])
    folder, out = workspace.path, tmp_path / "ann.json"

    printed, _ = run(folder, "export", "ann")
    assert len(json.loads(printed)["tables"]["state.inbox"]["rows"]) == 1
    _, noted = run(folder, "export", "stranger", "--json", "--out", str(out))
    assert "Nothing is held" in noted
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert json.loads(out.read_text())["is_known"] is False

    page = folder / "reports" / "acquisition.html"
    page.parent.mkdir()
    page.write_text(str(workspace.keys.hashes("ann")[0]))
    printed, noted = run(folder, "forget", "ann", "--yes")
    assert "analytics_events" in printed
    assert "Render these again, with mi report: acquisition.html" in noted
    printed, noted = run(folder, "forget", "ann", "--yes", "--json")
    receipt = json.loads(printed)
    assert (receipt["was_known"], receipt["hashes"]) == (False, 1)
    assert workspace.post([event(who="ann", key="2")]).refused == {0: ERASED}
    assert workspace.export_person("ann")["tables"]["state.erased_id"]["rows"]
    assert "stays out" in noted
    assert "ann" not in json.dumps({k: v for k, v in receipt.items() if k != "remains"})
    printed, _ = run(folder, "forget", "ann", "--lift", "--json")
    assert json.loads(printed) == {"hashes_lifted": 1}


# --- the list of places


def test_every_table_is_one_of_a_person_or_of_nobody(workspace: Workspace):
    for store, places in (("lake", LAKE), ("state", STATE)):
        rows = workspace.warehouse.sql(
            "select table_name, column_name from duckdb_columns() where database_name = $store",
            {"store": store},
        ).fetchall()
        personal = {place.table for place in places}
        assert {table for table, _ in rows} - {"sqlite_sequence"} == personal | OF_NOBODY[store]
        assert personal.isdisjoint(OF_NOBODY[store])
        names = ("user_id", "_hash", "event_id", "lead_id", "email_hash")
        telling = {t for t, c in rows if any(name in c for name in names)}
        assert telling - personal == set()
