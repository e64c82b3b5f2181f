"""Pulls into the lake: like an export, once, from where the last one ended."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import OpenWorkspace
from exports import Content, Event, event, identify, lake_content, write_export
from posthog_fake import KEY, FakePostHog, Fault, fake_posthog
from typer.testing import CliRunner

from mi_core.cli import app
from mi_core.errors import BadValue, PullError
from mi_core.ingest import posthog, pull
from mi_core.ingest.pull import pull_from_posthog
from mi_core.settings import load_settings
from mi_core.workspace import Workspace, open_workspace

KEYS = "k" * 32
SINCE, UNTIL = datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 8, tzinfo=UTC)
NOW = datetime(2024, 5, 4, 12, tzinfo=UTC)

PULL = """
import os, signal, sys
from datetime import UTC, datetime
from mi_core import open_workspace
from mi_core.ingest import posthog, pull
from mi_core.warehouse import Warehouse

posthog.SPACING_SECONDS, posthog.PAGE_ROWS, pull.BATCH_ROWS = 0.0, 2, 2
execute, met = Warehouse._execute, []

def execute_or_die(self, name, query, params):
    if "insert into lake.pull_window" in query:
        met.append(query)
        if len(met) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
    return execute(self, name, query, params)

with open_workspace(sys.argv[1]) as workspace:
    Warehouse._execute = execute_or_die
    workspace.pull(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 8, tzinfo=UTC))
"""


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePostHog]:
    """PostHog, and pulls that don't wait."""
    monkeypatch.setattr(posthog, "SPACING_SECONDS", 0.0)
    monkeypatch.setattr(posthog, "BACKOFF_SECONDS", 0.0)
    with fake_posthog() as running:
        yield running


def visit() -> list[Event]:
    return [
        event("$pageview", "anon", "05-01 10:00", {"utm_source": "google"}, session="s1"),
        event("$pageview", "anon", "05-01 10:05", session="s1"),
        identify("ann", "anon", "05-01 10:06", person="p1"),
        event("purchase", "ann", "05-03 09:00", {"price_cents": 1250}, person="p1"),
        event("brewed", "ann", "05-03 09:00", {"email": "ann@mail.example", "plan": "pro"}),
    ]


def windows(workspace: Workspace) -> list[tuple[Any, ...]]:
    return workspace.warehouse.sql(
        "select since, until, delivered, accepted, duplicates from lake.pull_window"
        " order by pulled_at, since, until"
    ).fetchall()


def pull_as_of(workspace: Workspace, now: datetime, **more: Any) -> pull.PullSummary:
    options = {"since": None, "until": None, **more}
    return pull_from_posthog(workspace.warehouse, workspace.door, now=now, **options)


def test_pulled_events_are_as_exported_ones(
    fresh: OpenWorkspace, fake: FakePostHog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(posthog, "PAGE_ROWS", 4)
    odd = [event(who="guest"), event("shy", properties={"consent_analytics": False})]
    exact = event(key="exact") | {"timestamp": "2024-05-02T08:00:00.123457+00:00"}
    fake.events = [*visit(), *odd, exact]
    exported, pulled = fresh(hash_keys=KEYS), fresh(hash_keys=KEYS, **fake.settings())
    exported.ingest([write_export(tmp_path / "visit.parquet", fake.events)])
    summary = pulled.pull(SINCE, UNTIL)

    assert lake_content(pulled, without="source") == lake_content(exported, without="source")
    assert pulled.sql("select distinct source from lake.analytics_events").item() == "query"
    assert (summary.delivered, summary.accepted, summary.withheld) == (8, 6, 1)
    assert summary.rejected == {"distinct_id is missing or a placeholder": 1}
    assert summary.unknown_events == {"brewed": 1}
    assert summary.dropped_properties["email"] == 1
    assert summary.queries == len(fake.asked)
    assert "guest" not in summary.quarantine.read_text()
    assert KEY not in str(summary.as_dict())


def test_the_next_pull_finds_what_came_late(fresh: OpenWorkspace, fake: FakePostHog):
    workspace = fresh(**fake.settings())
    first, *rest = visit()
    fake.events = rest
    assert pull_as_of(workspace, NOW).accepted == 4
    late, too_late = event(at="05-03 12:30", key="late"), event(at="05-03 11:30", key="later")
    fake.events += [late, too_late, event(at="05-05 09:00")]
    summary = pull_as_of(workspace, NOW + timedelta(days=1))

    assert summary.since == datetime(2024, 5, 3, 12)
    assert summary.accepted == 2
    assert pull_as_of(workspace, NOW + timedelta(days=2)).accepted == 0
    assert pull_as_of(workspace, NOW + timedelta(days=2), overlap=timedelta(days=4)).accepted == 1
    again = pull_as_of(workspace, NOW + timedelta(days=3), since=SINCE)
    assert (again.accepted, again.duplicates) == (0, 7)
    assert workspace.sql("select count(*) from lake.event_delivery").item() == 0
    assert first["uuid"] not in str(lake_content(workspace))


def test_what_will_be_is_not_said_to_be_pulled(fresh: OpenWorkspace, fake: FakePostHog):
    workspace = fresh(**fake.settings())
    pull_as_of(workspace, NOW, since=SINCE, until=UNTIL)

    assert max(until for _, until, *_ in windows(workspace)) == NOW.replace(tzinfo=None)
    for since in (NOW, UNTIL):
        with pytest.raises(BadValue, match="since has to be before until, and before now"):
            pull_as_of(workspace, NOW, since=since)
    with pytest.raises(BadValue, match="a time with a zone"):
        workspace.pull(datetime(2024, 5, 1))


@pytest.fixture(scope="module")
def undisturbed(empty_stores: Path, tmp_path_factory: pytest.TempPathFactory) -> Content:
    """What a pull of `visit` leaves that nothing disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed") / "workspace"
    shutil.copytree(empty_stores, folder)
    with fake_posthog() as fake, pytest.MonkeyPatch.context() as patch:
        patch.setattr(posthog, "SPACING_SECONDS", 0.0)
        fake.events = visit()
        settings = load_settings(hash_keys=KEYS, threads=1, **fake.settings())
        with open_workspace(folder, settings=settings) as workspace:
            workspace.pull(SINCE, UNTIL)
            return lake_content(workspace)


@pytest.fixture
def small_batches(fake: FakePostHog, monkeypatch: pytest.MonkeyPatch) -> None:
    """`visit` is published two rows at a time."""
    monkeypatch.setattr(posthog, "PAGE_ROWS", 2)
    monkeypatch.setattr(pull, "BATCH_ROWS", 2)
    fake.events = visit()


@pytest.mark.usefixtures("small_batches")
def test_what_came_before_a_failure_stays(
    fresh: OpenWorkspace, fake: FakePostHog, undisturbed: Content
):
    workspace = fresh(hash_keys=KEYS, **fake.settings())
    fake.faults = [None, Fault(403)]
    with pytest.raises(PullError, match="before 2024-05-01 10:05:00 is in the lake; run it again"):
        workspace.pull(SINCE, UNTIL)
    assert workspace.sql("select count(*) from lake.analytics_events").item() == 2
    before = len(fake.asked)
    workspace.pull(SINCE, UNTIL)

    assert lake_content(workspace) == undisturbed
    assert "timestamp >= toDateTime64('2024-05-01 10:05:00" in fake.asked[before]
    assert [since for since, *_ in windows(workspace)][1:] == [
        until for _, until, *_ in windows(workspace)
    ][:-1]


@pytest.mark.usefixtures("small_batches")
def test_a_publish_that_failed_in_the_middle(
    fresh: OpenWorkspace,
    fake: FakePostHog,
    undisturbed: Content,
    monkeypatch: pytest.MonkeyPatch,
):
    workspace = fresh(hash_keys=KEYS, **fake.settings())
    with monkeypatch.context() as patch:
        patch.setattr(pull._Pull, "_store_window", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            workspace.pull(SINCE, UNTIL)
    assert workspace.sql("select count(*) from lake.identity_alias").item() == 0
    assert windows(workspace) == []
    workspace.pull(SINCE, UNTIL)

    assert lake_content(workspace) == undisturbed


def _interrupted(*arguments: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("small_batches")
def test_a_pull_that_was_killed(
    fresh: OpenWorkspace,
    fake: FakePostHog,
    undisturbed: Content,
    monkeypatch: pytest.MonkeyPatch,
):
    for name, value in {"MI_HASH_KEYS": KEYS, **fake.variables()}.items():
        monkeypatch.setenv(name, value)
    before = fresh()
    folder = before.path
    before.close()
    command = [sys.executable, "-c", PULL, str(folder), "2"]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    workspace = fresh(folder)
    (first,) = windows(workspace)
    assert first[2:] == (2, 2, 0)
    workspace.pull(SINCE, UNTIL)

    assert lake_content(workspace) == undisturbed
    assert sum(accepted for *_, accepted, _ in windows(workspace)) == 5


def test_deliveries_by_further_sources_are_kept_once(
    fresh: OpenWorkspace, fake: FakePostHog, tmp_path: Path
):
    workspace = fresh(**fake.settings())
    fake.events = rows = visit()
    for _ in range(2):
        workspace.post(rows[:2], received_at=UNTIL)
        workspace.drain()
        workspace.pull(SINCE, UNTIL)
    workspace.ingest([write_export(tmp_path / "visit.jsonl", [*rows[1:], rows[1]])])
    workspace.ingest([write_export(tmp_path / "again.jsonl", rows[2:])])
    workspace.pull(SINCE, UNTIL)

    number = {row["uuid"]: n for n, row in enumerate(rows)}
    kept = workspace.sql("select event_id, source, occurred_at from event_delivery").rows()
    assert sorted((number[one], source) for one, source, _ in kept) == [
        (0, "query"),
        *[(1, "export"), (1, "query")],
        *[(n, "export") for n in (2, 3, 4)],
    ]
    stored = dict(workspace.sql("select event_id, occurred_at from analytics_events").rows())
    assert all(stored[one] == at for one, _, at in kept)


# --- mi ingest posthog


def mi(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments)


def test_the_command_pulls(fake: FakePostHog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, value in fake.variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MI_WORKSPACE", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "posthog").mkdir()
    write_export(tmp_path / "posthog" / "a.jsonl", visit()[3:])
    fake.events = visit()[:3]
    span = ("--since", "2024-05-01", "--until", "2024-05-08")

    done = mi("ingest", "posthog", *span, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["accepted"] == 3
    assert "./posthog" in done.stderr
    assert json.loads(mi("ingest", "./posthog", "--json").stdout)["accepted"] == 2
    fake.faults = [Fault(401)]
    failed = mi("ingest", "posthog", *span)
    assert failed.exit_code == 1
    assert failed.stderr.splitlines()[-1].startswith("mi: PostHog doesn't know the key")
    assert KEY not in done.output + failed.output
    assert mi("ingest", "posthog", "./posthog").exit_code == 2
    assert mi("ingest", "./posthog", *span).exit_code == 2


def test_the_command_says_what_is_not_set(tmp_path: Path):
    done = mi("ingest", "posthog", "--workspace", str(tmp_path / "data"))

    assert done.exit_code == 1
    assert "set MI_POSTHOG_PROJECT_ID and MI_POSTHOG_API_KEY" in done.stderr
