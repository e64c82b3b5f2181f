"""Workspaces made, opened, upgraded and refused; the write lock; the keys; the secrets."""

import logging
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import PASSWORD, OpenWorkspace
from exports import event, lake_content, write_export

from mi_core import migrations
from mi_core.erasure.vacuum import vacuum_sqlite
from mi_core.errors import LockTimeout, RelationError, SettingsError, Unreachable, WorkspaceError
from mi_core.ingest.keys import load_keys
from mi_core.locks import write_lock
from mi_core.migrations import Step
from mi_core.settings import Settings, load_settings
from mi_core.state import State
from mi_core.warehouse import Warehouse
from mi_core.workspace import Workspace, open_workspace

NEW, OLD = "n" * 32, "o" * 40

OPEN = "import sys; from mi_core import open_workspace; open_workspace(sys.argv[1]).close()"
HOLD = """
import sys, time
from mi_core import open_workspace
with open_workspace(sys.argv[1]) as workspace, workspace.warehouse.lock():
    print("held", flush=True)
    time.sleep(60)
"""


def environment(settings: Settings) -> dict[str, str]:
    """The environment of a process that opens a workspace with the same settings."""
    urls = {"MI_CATALOG_URL": settings.catalog_url, "MI_STATE_URL": settings.state_url}
    return os.environ | {name: url.get_secret_value() for name, url in urls.items() if url}


# --- versions


def test_a_workspace_is_made_and_opened_again(any_settings: Settings, tmp_path: Path):
    with open_workspace(tmp_path / "made", settings=any_settings) as made:
        made.ingest([write_export(tmp_path / "a.jsonl", [event()])])
        before = lake_content(made)

    with open_workspace(tmp_path / "made", settings=any_settings) as again:
        assert lake_content(again) == before
        assert again.sql("select count(*) from state.persona_bucket").item() == 6


def test_a_workspace_can_be_moved(fresh: OpenWorkspace, tmp_path: Path):
    workspace = fresh()
    workspace.ingest([write_export(tmp_path / "a.jsonl", [event()])])
    before = lake_content(workspace)
    workspace.close()

    assert lake_content(fresh(workspace.path.rename(tmp_path / "elsewhere"))) == before


def newest(monkeypatch: pytest.MonkeyPatch, store: str, *steps: str) -> None:
    """Let the package know further steps of a store."""
    known = getattr(migrations, store)
    further = [Step(known.newest + n, sql) for n, sql in enumerate(steps, start=1)]
    monkeypatch.setitem(known.__dict__, "steps", [*known.steps, *further])


def test_an_older_workspace_is_upgraded_and_keeps_what_it_held(
    any_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    any_workspace.ingest([write_export(tmp_path / "a.jsonl", [event()])])
    before = lake_content(any_workspace)
    any_workspace.close()
    newest(monkeypatch, "LAKE", "create table first (a integer)", "alter table first add b date")
    newest(monkeypatch, "STATE", "create table second (a integer); insert into second values (7)")

    with open_workspace(any_workspace.path, settings=any_workspace.settings) as upgraded:
        assert lake_content(upgraded) == before
        assert upgraded.sql("select a, b from lake.first").height == 0
        assert upgraded.sql("select a from state.second").item() == 7
        assert upgraded.sql("from lake.schema_version").item() == migrations.LAKE.newest
        assert upgraded.sql("from state.schema_version").item() == migrations.STATE.newest


def test_a_step_that_fails_changes_nothing(fresh: OpenWorkspace, monkeypatch: pytest.MonkeyPatch):
    workspace = fresh()
    workspace.close()
    with monkeypatch.context() as patch:
        newest(patch, "LAKE", "create table half (a integer); select * from nowhere")
        with pytest.raises(Exception, match="nowhere"):
            fresh(workspace.path)

    again = fresh(workspace.path)
    assert again.sql("from lake.schema_version").item() == migrations.LAKE.newest
    assert "half" not in str(again.sql("select table_name from duckdb_tables()").rows())


@pytest.mark.parametrize("store", ["LAKE", "STATE"])
def test_a_newer_workspace_is_refused(
    any_workspace: Workspace, monkeypatch: pytest.MonkeyPatch, store: str
):
    any_workspace.close()
    with monkeypatch.context() as patch:
        newest(patch, store, "create table later (a integer)")
        open_workspace(any_workspace.path, settings=any_workspace.settings).close()

    with pytest.raises(WorkspaceError, match=r"has schema version \d+, but this package knows"):
        open_workspace(any_workspace.path, settings=any_workspace.settings)


def test_several_processes_make_the_same_workspace_at_once(any_settings: Settings, tmp_path: Path):
    command = [sys.executable, "-c", OPEN, str(tmp_path / "shared")]
    env = environment(any_settings)
    opened = [
        subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]

    assert [process.communicate()[1] for process in opened] == [""] * 4
    with open_workspace(tmp_path / "shared", settings=any_settings) as workspace:
        assert workspace.sql("select count(*) from lake.schema_version").item() == 1
        assert workspace.sql("select count(*) from state.schema_version").item() == 1


# --- writing


@pytest.fixture
def holder(any_workspace: Workspace) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the write lock."""
    command = [sys.executable, "-c", HOLD, str(any_workspace.path)]
    env = environment(any_workspace.settings)
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_one_process_writes_at_a_time_and_a_dead_one_not_at_all(
    any_workspace: Workspace, holder: subprocess.Popen[str]
):
    hasty = any_workspace.settings.model_copy(update={"lock_timeout_seconds": 0.2})
    any_workspace.warehouse.settings = hasty
    assert any_workspace.sql("select count(*) from lake.user_event").item() == 0
    with pytest.raises(LockTimeout, match=r"over 0 seconds; try again, or raise MI_LOCK"):
        any_workspace.warehouse.lock().__enter__()

    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    started = time.monotonic()
    any_workspace.warehouse.settings = hasty.model_copy(update={"lock_timeout_seconds": 10})
    with any_workspace.warehouse.publish("after"):
        any_workspace.warehouse.sql("insert into lake.campaign (campaign_id) values ('a')")
    assert time.monotonic() - started < 5


def broken_off(warehouse: Warehouse) -> None:
    warehouse.sql("insert into lake.campaign (campaign_id) values ('a')")
    raise ZeroDivisionError


def test_a_publish_is_all_or_nothing(any_workspace: Workspace):
    warehouse = any_workspace.warehouse
    before = warehouse.snapshot()
    with pytest.raises(ZeroDivisionError), warehouse.publish("broken off"):
        broken_off(warehouse)

    assert warehouse.snapshot() == before
    assert warehouse.sql("select count(*) from lake.campaign").fetchone() == (0,)
    with warehouse.publish("whole"):
        warehouse.sql("insert into lake.campaign (campaign_id) values ('b')")
    assert warehouse.sql("select campaign_id from lake.campaign").fetchall() == [("b",)]
    message = "select commit_message from lake.snapshots() order by snapshot_id desc limit 1"
    assert warehouse.sql(message).fetchone() == ("whole",)


def test_the_state_is_read_only_for_queries(any_workspace: Workspace):
    with pytest.raises(Exception, match="read-only"):
        any_workspace.warehouse.sql("delete from state.persona_bucket")


@pytest.mark.parametrize(
    "statement",
    [
        "drop table lake.user_event",
        "insert into lake.campaign (campaign_id) values ('a')",
        "explain analyze delete from campaign",
        "delete from state.persona_bucket",
    ],
)
def test_what_a_person_asks_changes_nothing(any_workspace: Workspace, statement: str):
    before = any_workspace.warehouse.snapshot()
    with pytest.raises(RelationError, match="read-only"):
        any_workspace.sql(statement)

    assert any_workspace.warehouse.snapshot() == before
    assert any_workspace.sql("select count(*) from persona_bucket").item() == 6


def test_a_query_loads_nothing_that_duckdb_has_not_signed(workspace: Workspace, tmp_path: Path):
    (tmp_path / "own.duckdb_extension").write_bytes(b"\0" * 1_000)

    assert workspace.sql("select current_setting('allow_unsigned_extensions')").item() is False
    with pytest.raises(RelationError, match="unsigned"):
        workspace.warehouse.sql("set allow_unsigned_extensions = true")
    with pytest.raises(RelationError, match="The query failed"):
        workspace.sql(f"load '{tmp_path}/own.duckdb_extension'")


def test_a_query_with_parameters_gives_what_one_without_gives(workspace: Workspace):
    query = """
        select
            id, id % 2 = 0 as is_even, id / 4 as quarter, date '2026-01-01' + id::integer as day,
            timestamp '2026-01-01' + interval 1 second * id as moment, sum(id) over () as total,
            if(id = 3, null, [id]) as few, '00000000-0000-0000-0000-000000000001'::uuid as uuid,
            interval 1 day * id as span
        from range({}) as counted(id)
        order by id desc
    """
    plain = workspace.warehouse.frame(query.format(5_000))
    asked = workspace.warehouse.frame(query.format("$n"), {"n": 5_000})

    assert asked.schema == plain.schema
    assert asked.equals(plain)
    with pytest.raises(RelationError, match="The query failed"):
        workspace.warehouse.frame("select $n from nowhere", {"n": 1})
    tables = workspace.warehouse.sql("select table_name from duckdb_tables() where temporary")
    assert "frame_row" not in {name for (name,) in tables.fetchall()}


def test_what_does_not_fit_in_memory_goes_to_a_folder_of_the_workspace(tmp_path: Path):
    with open_workspace(tmp_path / "small", settings=load_settings(memory_limit="64MB")) as opened:
        query = "select count(distinct md5(range::varchar)) from range(1_000_000)"
        assert opened.warehouse.sql(query).fetchone() == (1_000_000,)


def test_bounds_that_the_catalog_lost_lose_no_rows(any_workspace: Workspace, tmp_path: Path):
    warehouse = any_workspace.warehouse
    quiet = event("app_open", "ann", "03-20")
    bought = event("purchase", "ann", "04-21", {"price_cents": 100})
    later = event("purchase", "bob", "07-20", {"price_cents": 90_000})
    for number, rows in enumerate(([quiet, bought], [later])):
        any_workspace.ingest([write_export(tmp_path / f"{number}.jsonl", rows)])

    below = "select value from lake.user_event where value < 200"
    assert warehouse.sql(below).fetchall() == [(100,)]
    ordered = "select value from lake.user_event order by value nulls last"
    assert warehouse.sql(ordered).fetchall() == [(100,), (90_000,), (None,)]
    early = "select count(*) from lake.user_milestone where purchased_at < timestamp '2024-06-01'"
    assert warehouse.sql(early).fetchone() == (1,)


# --- keys


def test_a_workspace_makes_a_key_for_its_owner_alone(workspace: Workspace):
    file = workspace.path / "hash.keys"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().strip()) == 64
    assert [path.name for path in workspace.path.glob("tmp*")] == []


@pytest.mark.parametrize("keys", ["short", ",", "k" * 32 + ",short"])
def test_short_keys_are_refused_and_not_repeated(tmp_path: Path, keys: str):
    with pytest.raises(SettingsError, match="at least 32 characters") as caught:
        load_keys(tmp_path, load_settings(hash_keys=keys))

    assert "short" not in str(caught.value)


def test_another_key_is_refused(fresh: OpenWorkspace):
    workspace = fresh(hash_keys=OLD)

    with pytest.raises(WorkspaceError, match="hashed with another key") as caught:
        fresh(workspace.path, hash_keys=NEW)
    assert NEW not in str(caught.value)
    assert repr(workspace.keys) == f"HashKeys(1 keys, newest {workspace.keys.fingerprint})"


def test_a_rotated_key_keeps_its_people(fresh: OpenWorkspace, tmp_path: Path):
    before = fresh(hash_keys=OLD)
    visits = [event(who=who, at="05-01") for who in ("ann", "bob", "device")]
    before.ingest([write_export(tmp_path / "before.jsonl", visits)])

    after = fresh(before.path, hash_keys=f"{NEW},{OLD}")
    returns = [
        event(who="ann", at="05-02"),
        event("$identify", "bob", "05-03", {"$anon_distinct_id": "device"}),
        event(who="new", at="05-02"),
    ]
    after.ingest([write_export(tmp_path / "after.jsonl", returns)])

    people = "select list(event_name order by occurred_at) from lake.user_event group by user_id"
    assert sorted(after.warehouse.sql(people).fetchall()) == [
        (["feature_used"],),
        (["feature_used", "feature_used"],),
        (["feature_used", "feature_used", "$identify"],),
    ]


# --- secrets


def test_a_bad_setting_is_named_and_not_repeated():
    for name in ("catalog_url", "state_url"):
        for url in (f"mysql://u:{PASSWORD}@host/db", f"postgresql://u:{PASSWORD}@host:port/db"):
            with pytest.raises(SettingsError, match=f"MI_{name.upper()}") as caught:
                load_settings(**{name: url})
            assert PASSWORD not in str(caught.value)
            assert caught.value.__cause__ is None


def test_settings_show_no_secret(postgres_url: str):
    settings = load_settings(catalog_url=postgres_url, state_url=postgres_url, hash_keys=NEW)

    assert PASSWORD not in f"{settings!r} {settings.model_dump_json()}"
    assert NEW not in f"{settings!r} {settings.model_dump_json()}"


@pytest.mark.parametrize("name", ["catalog_url", "state_url"])
def test_a_server_that_is_away_is_told_without_the_password(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    settings = load_settings(**{name: f"postgresql://u:{PASSWORD}@127.0.0.1:1/db"})
    with pytest.raises(Unreachable, match="can't be opened") as caught:
        open_workspace(tmp_path, settings=settings)

    assert PASSWORD not in str(caught.value) + caplog.text
    if name == "catalog_url":
        with (
            pytest.raises(Unreachable, match="catalog can't be opened"),
            write_lock(tmp_path, "host=127.0.0.1 port=1", 1),
        ):
            pass


def test_a_state_that_is_away_is_told_apart_from_a_wrong_statement(tmp_path: Path):
    (tmp_path / "shop").mkdir()
    state = State.open(tmp_path / "shop", load_settings())

    with pytest.raises(Exception, match="no such table") as caught, state.reading() as transaction:
        transaction.rows("select 1 from nowhere")
    assert not isinstance(caught.value, Unreachable)

    (tmp_path / "shop").rename(tmp_path / "elsewhere")
    for ask in (lambda: state.meta("hash_key"), lambda: state.set_meta("hash_key", "")):
        with pytest.raises(Unreachable, match="state can't be reached") as away:
            ask()
        assert away.value.__cause__ is None


def test_a_relation_that_lacks_a_file_may_pass(workspace: Workspace):
    with pytest.raises(RelationError) as away:
        workspace.warehouse.sql("from read_csv('/nowhere/at-all.csv')")
    with pytest.raises(RelationError) as wrong:
        workspace.warehouse.sql("from nowhere")

    assert (away.value.may_pass, wrong.value.may_pass) == (True, False)


def test_the_password_is_in_no_query_message_or_file(
    postgres_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    settings = load_settings(catalog_url=postgres_url, state_url=postgres_url)
    with open_workspace(tmp_path, settings=settings) as workspace:
        shown = [
            str(workspace.sql(f"from {catalog}()").rows())
            for catalog in ("duckdb_databases", "duckdb_secrets", "duckdb_settings")
        ]
        with pytest.raises(Exception, match="nowhere") as caught:
            workspace.sql("from state.nowhere")

    assert PASSWORD not in "".join(shown) + str(caught.value) + caplog.text
    written = (path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not any(PASSWORD.encode() in content for content in written)


def test_an_idle_connection_holds_nothing_back(workspace: Workspace):
    workspace.warehouse.sql("select count(*) from lake.analytics_events").fetchone()
    workspace.warehouse.sql("from lake.score_run")

    vacuum_sqlite(workspace.path / "catalog.sqlite", patience=1)
