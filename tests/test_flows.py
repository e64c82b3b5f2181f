"""Flows on Prefect's engine, and `make schedule` itself: one server for all of them.

One test, for its parts on several workers would each start a server of their own.
"""

import asyncio
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import stores
from flow_server import FlowServer, deployments_file, eventually, start
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import SetStateStatus
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_HOME,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)
from prefect.states import Pending, Scheduled
from test_flows_logic import act

from flows import enrich, reports
from flows.leftovers import BROKEN, MISSED, end_broken, skip_missed
from mi_core.errors import ReportError
from mi_core.workspace import open_workspace

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 6


@pytest.fixture
def served(tmp_path: Path) -> Iterator[FlowServer]:
    shutil.copytree(stores.empty_stores(), tmp_path / "workspace")
    with open_workspace(tmp_path / "workspace") as workspace:
        people = [f"person-{number}" for number in range(20)]
        workspace.post([act(each, NEW_YEAR - timedelta(days=3)) for each in people])
    started = start(tmp_path / "workspace", deployments_file(tmp_path, {"hourly": 15}))
    mine = {
        PREFECT_API_URL: f"{started.url}/api",
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        PREFECT_HOME: tmp_path / "prefect",
        PREFECT_LOGGING_TO_API_ENABLED: False,
    }
    with temporary_settings(mine):
        yield started
    if started.process.poll() is None:
        started.end()


@pytest.mark.timeout(400)
def test_make_schedule(
    served: FlowServer,
    client: SyncPrefectClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    subtests: pytest.Subtests,
):
    with subtests.test("a schedule fires"):
        a_schedule_fires_and_shows_what_it_did(served, client)
    with subtests.test("a killed backfill"):
        a_killed_backfill_ends_as_crashed_and_the_next_goes_on(served, client)
    with subtests.test("a report that fails"), monkeypatch.context() as patched:
        a_report_that_fails_does_not_stop_the_others(client, patched, tmp_path)
    with subtests.test("leads"), monkeypatch.context() as patched:
        leads_are_worked_and_shown(served, client, patched)
    with subtests.test("what was left"):
        asyncio.run(what_an_earlier_serving_left_is_cleared(served))
    with subtests.test("the end"):
        it_ends_when_told_to_with_all_its_processes(served)


@pytest.fixture
def client(served: FlowServer) -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as opened:
        yield opened


def ended(client: SyncPrefectClient, run: FlowRun, served: FlowServer) -> FlowRun:
    return eventually(
        lambda: (found := client.read_flow_run(run.id)).state.is_final() and found, served
    )


def scored(served: FlowServer) -> list[tuple[Any, ...]]:
    with open_workspace(served.workspace) as workspace:
        return workspace.sql("select as_of, mode from lake.score_run").rows()


def a_schedule_fires_and_shows_what_it_did(served: FlowServer, client: SyncPrefectClient):
    def done() -> list[FlowRun]:
        runs = client.read_flow_runs(limit=200)
        return [each for each in runs if each.auto_scheduled and each.state.is_completed()]

    [first, *_] = eventually(done, served)
    [page, *_] = client.read_artifacts(
        artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["refresh"]))
    )
    deployment = client.read_deployment_by_name("refresh/hourly")
    client.update_deployment_schedule(deployment.id, deployment.schedules[0].id, active=False)

    assert first.deployment_id == deployment.id
    assert "people scored" in page.description
    assert "| `mv_user_magnetism_30d` | 20 |" in page.data
    assert len(scored(served)) >= 1


def a_killed_backfill_ends_as_crashed_and_the_next_goes_on(
    served: FlowServer, client: SyncPrefectClient
):
    days = {"since": "2024-01-01", "until": f"{NEW_YEAR + timedelta(days=DAYS - 1):%Y-%m-%d}"}
    killed = served.ask("backfill/on-request", **days)
    eventually(lambda: client.read_flow_run(killed.id).state.is_running(), served)
    second = served.ask("backfill/on-request", **days)
    assert ended(client, second, served).state.is_cancelled()
    eventually(lambda: "as of 2024-01-01' - Finished" in served.log.read_text(), served)
    os.kill(engine_of(served, killed), signal.SIGKILL)

    assert ended(client, killed, served).state.is_crashed()
    before = past(served)
    assert 0 < len(before) < DAYS
    third = served.ask("backfill/on-request", **days)
    assert ended(client, third, served).state.is_completed()
    after = past(served)
    assert len(after) == len(set(after)) == DAYS


def past(served: FlowServer) -> list[datetime]:
    return [as_of for as_of, _ in scored(served) if as_of.year == 2024]


def engine_of(served: FlowServer, run: FlowRun) -> int:
    [found] = [
        each.pid
        for each in psutil.Process(served.process.pid).children(recursive=True)
        if each.environ().get("PREFECT__FLOW_RUN_ID") == str(run.id)
    ]
    return found


def a_report_that_fails_does_not_stop_the_others(
    client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def report(name: str, **_: object) -> Path:
        if name == "broken":
            raise ReportError("Cell 3 failed.")
        return tmp_path / f"{name}.html"

    names = {"first": "daily", "broken": "daily", "last": "daily", "other": "weekly"}
    entries = {
        name: SimpleNamespace(title=name.title(), cadence=cadence, days=90)
        for name, cadence in names.items()
    }
    monkeypatch.setattr(reports, "catalogue", lambda: entries)
    monkeypatch.setattr(
        reports, "open_workspace", lambda: nullcontext(SimpleNamespace(report=report))
    )

    state = reports.reports("daily", return_state=True)

    assert state.is_failed()
    with pytest.raises(ReportError, match=r"^Not rendered: broken; their last good pages stay\.$"):
        state.result()
    [page] = client.read_artifacts(
        artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["reports"]))
    )
    assert "Cell 3 failed." in page.data
    assert "last.html" in page.data
    assert "Other" not in page.data


def leads_are_worked_and_shown(
    served: FlowServer, client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MI_WORKSPACE", str(served.workspace))
    with open_workspace() as workspace:
        workspace.enrichment.put(["ann@blue-harbour.example"])

    worked = enrich.enrich(leads=5)

    [page] = client.read_artifacts(
        artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=["enrich"]))
    )
    assert worked.taken == 1
    assert page.description.startswith("Leads taken: 1; 1 completed")
    assert "| provider | calls | $ spent | $ held |" in page.data
    assert enrich.enrich().taken == 0


def as_scheduled(served: FlowServer, runs: list[FlowRun]) -> None:
    """Runs that somebody asked for, as if a schedule had; the server has no other way."""
    database = sqlite3.connect(served.workspace / "prefect" / "prefect.db", timeout=60)
    with closing(database), database:
        names = [(each.name,) for each in runs]
        database.executemany("update flow_run set auto_scheduled = 1 where name = ?", names)


async def what_an_earlier_serving_left_is_cleared(served: FlowServer) -> None:
    now = datetime.now(UTC)
    due = [Scheduled(scheduled_time=now - timedelta(hours=hours)) for hours in (3, 1, 2, -1)]
    async with get_client() as client:
        flow = await client.create_flow_from_name("left")
        ids = [await client.create_deployment(flow, name, concurrency_limit=1) for name in "ab"]
        runs = [
            await client.create_flow_run_from_deployment(ids[0], state=state)
            for state in (*due, Pending())
        ]
        other = await client.create_flow_run_from_deployment(ids[1], state=due[0])
        as_scheduled(served, [*runs, other])
        asked = await client.create_flow_run_from_deployment(ids[0], state=due[0])

        broken, missed = await end_broken(client, ids), await skip_missed(client, ids)

        states = [(await client.read_flow_run(each.id)).state for each in (*runs, other, asked)]
        again = await client.create_flow_run_from_deployment(ids[0])
        started = await client.set_flow_run_state(again.id, Pending())
        await client.delete_flow_run(again.id)

    assert [each.id for each in broken] == [runs[4].id]
    assert {each.id for each in missed} == {runs[0].id, runs[2].id}
    assert [each.name for each in states] == [
        "Cancelled",
        "Scheduled",
        "Cancelled",
        "Scheduled",
        "Crashed",
        "Scheduled",
        "Scheduled",
    ]
    assert (states[0].message, states[4].message) == (MISSED, BROKEN)
    assert started.status == SetStateStatus.ACCEPT


def it_ends_when_told_to_with_all_its_processes(served: FlowServer):
    behind = psutil.Process(served.process.pid).children(recursive=True)

    assert served.end() == 0
    assert psutil.wait_procs(behind, timeout=5)[1] == []
    assert "Traceback" not in served.log.read_text()
