"""`mi serve` with real clients: PostHog's own, over loopback, and what a crash leaves."""

import base64
import json
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest
from posthog import Posthog
from serving import Server, eventually, start

from mi_core.settings import load_settings
from mi_core.workspace import open_workspace

WEBHOOK = "/api/webhooks/posthog-events"
NODE = Path(__file__).parent / "data" / "posthog_sdk" / "node.json"
SECRETS = {
    "api_token": "all-of-it",
    "cron_token": "by-the-clock",
    "webhook_token": "static",
    "capture_key": "phc_tests",
    "api_processes": "1",
}


@pytest.fixture(scope="module")
def folder(empty_stores: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    served = tmp_path_factory.mktemp("serve") / "workspace"
    shutil.copytree(empty_stores, served)
    return served


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MI_THREADS", "1")
        started = start(folder, **SECRETS)
        yield started
        started.kill()


def stored(server: Server, folder: Path, who: str) -> list[tuple[str, str]]:
    """Name and person of `who`'s events in the lake, in their order."""
    time.sleep(0.6)  # what the server says of the inbox may be half a second old
    with server.client("all-of-it") as client:
        eventually(lambda: client.get(WEBHOOK).json()["inbox"]["events"] == 0, server.process)
    with open_workspace(folder, settings=load_settings(threads=1)) as workspace:
        user_id = workspace.user_id_of(who)
        rows = workspace.warehouse.sql(
            "select event_name, user_id::varchar from lake.analytics_events"
            " where user_id = $id order by occurred_at, event_name",
            {"id": user_id},
        ).fetchall()
    return rows


def test_posthogs_python_client_sends_here(server: Server, folder: Path):
    client = Posthog("phc_tests", host=server.url, gzip=True)
    client.capture("$pageview", distinct_id="device", properties={"utm_source": "google"})
    client.capture("$identify", distinct_id="ann", properties={"$anon_distinct_id": "device"})
    client.alias("ann", "ann-elsewhere")
    for _ in range(2):
        client.capture("trial_started", distinct_id="ann", uuid=str(UUID(int=7, version=4)))
    client.capture("app_open", distinct_id="ann-elsewhere")
    client.shutdown()

    names = [name for name, _ in stored(server, folder, "device")]
    assert names == ["$pageview", "$identify", "$create_alias", "trial_started", "app_open"]


def test_posthogs_node_client_sends_here(server: Server, folder: Path):
    request = json.loads(NODE.read_text())
    with server.client() as client:
        answer = client.post(
            request["path"], content=base64.b64decode(request["body"]), headers=request["headers"]
        )

    assert answer.json()["accepted"] == 5
    assert answer.json()["duplicates"] == 1
    names = [name for name, _ in stored(server, folder, "device-n")]
    assert sorted(names) == [
        *("$create_alias", "$identify", "$identify", "$pageview", "trial_started"),
    ]


def webhook(who: str) -> dict[str, Any]:
    return {
        "event": {
            "uuid": str(uuid4()),
            "event": "app_open",
            "distinct_id": who,
            "timestamp": datetime.now(UTC).isoformat(),
            "properties": {},
        }
    }


def test_a_score_follows_what_came(server: Server):
    with server.client("all-of-it") as client:
        client.post(WEBHOOK, json=webhook("scored"), headers={"x-webhook-token": "static"})
        known = client.post("/api/v1/marketing/magnetism/scored")
        stranger = client.get("/api/v1/marketing/magnetism/nobody")
    assert known.status_code == 200
    assert known.json()["index"] > 0
    assert stranger.status_code == 404


def test_the_cron_endpoint_refreshes_the_views(server: Server):
    with server.client("by-the-clock") as client:
        answer = client.get("/api/cron/refresh-marketing-views")

    assert answer.status_code == 200
    assert {view["name"] for view in answer.json()["views"]} >= {"mv_daily_funnel"}


def test_definitions_put_in_force_are_gone_by_at_once(server: Server, folder: Path):
    rule = {"personas": {"automation_pro": {"rule": {"engagement_above": 25}}}}
    with open_workspace(folder, settings=load_settings(threads=1)) as workspace:
        made = workspace.configs.propose(rule, author="Ada", reason="A test.")
        workspace.configs.activate(made.version, by="Ada", reason="A test.")

    with server.client("by-the-clock") as client:
        answer = client.post("/api/cron/refresh-marketing-views").json()

    assert answer["reason"] == "the definitions have changed since the last run"


def test_what_was_acknowledged_outlives_a_kill(server: Server, folder: Path):
    behind = psutil.Process(server.process.pid).children(recursive=True)
    with server.client() as client:
        sent = [
            client.post(WEBHOOK, json=webhook("crash"), headers={"x-webhook-token": "static"})
            for _ in range(20)
        ]
    server.kill()
    gone, alive = psutil.wait_procs(behind, timeout=10)

    assert {each.json()["accepted"] for each in sent} == {1}
    assert len(gone) >= 2
    assert not alive
    server.start_again(folder, **SECRETS)
    assert len(stored(server, folder, "crash")) == 20


def test_a_server_ends_in_good_order(server: Server):
    assert server.end() == 0
    assert "Traceback" not in server.log.read_text()
    assert "crash" not in server.log.read_text()
