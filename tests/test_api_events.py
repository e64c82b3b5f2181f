"""The webhook, the SDKs' endpoints, and what stands around every request of the server."""

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
import logging
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from mi_core.api import app as app_module
from mi_core.api import intake
from mi_core.api.app import create_app
from mi_core.api.draining import Drained
from mi_core.api.intake import Intake
from mi_core.api.links import Links
from mi_core.api.problems import Busy
from mi_core.errors import UnknownPerson
from mi_core.ingest.inbox import Delivery, Taken
from mi_core.ingest.keys import HashKeys
from mi_core.inlet import Inlet
from mi_core.settings import Settings, load_settings

WEBHOOK = "/api/webhooks/posthog-events"
SIGNING = base64.b64encode(b"a secret of the tests of 32 byte").decode()
SETTINGS = {
    "api_token": "all-of-it",
    "api_read_token": "only-looking",
    "webhook_signing_secret": f"whsec_{SIGNING}",
    "webhook_token": "static",
    "capture_key": "phc_tests",
}
STATIC = {"x-webhook-token": "static"}
READ = {"authorization": "Bearer only-looking"}


class NoCrew:
    """There are no other processes in these tests."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.inlet = Inlet(path, settings)

    async def warm_up(self) -> None: ...

    async def admit(self, verb: Callable[..., Any], *args: Any) -> Any:
        return verb(self.inlet, *args)

    async def write(self, _verb: object) -> Drained:
        return Drained(0, 0)

    def close(self) -> None:
        self.inlet.close()


Client = Callable[..., TestClient]


@pytest.fixture(scope="module")
def module_client(empty_stores: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Starts a server in this process; by its settings, each is started once."""
    started: dict[str, TestClient] = {}

    def start(**settings: Any) -> TestClient:
        key = json.dumps(settings)
        if key not in started:
            folder = tmp_path_factory.mktemp("served") / "workspace"
            shutil.copytree(empty_stores, folder)
            app = create_app(folder, load_settings(threads=1, **settings))
            client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
            started[key] = opened.enter_context(client)
        return started[key]

    with pytest.MonkeyPatch.context() as patch, ExitStack() as opened:
        patch.setattr(app_module, "Crew", NoCrew)
        yield start


@pytest.fixture
def client(module_client: Client) -> TestClient:
    return module_client(**SETTINGS)


def event(name: str = "app_open", who: str = "ann", **more: Any) -> dict[str, Any]:
    return {
        "uuid": str(uuid4()),
        "event": name,
        "distinct_id": who,
        "properties": {},
        "timestamp": datetime.now(UTC).isoformat(),
        **more,
    }


def signed(body: bytes, webhook_id: str, at: datetime | None = None) -> dict[str, str]:
    timestamp = str(int((at or datetime.now(UTC)).timestamp()))
    message = b".".join((webhook_id.encode(), timestamp.encode(), body))
    mac = hmac.digest(base64.b64decode(SIGNING), message, hashlib.sha256)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def counts(answer: dict[str, Any]) -> tuple[int, ...]:
    return tuple(answer[name] for name in ("accepted", "duplicates", "withheld", "rejected"))


def test_events_are_taken_in_once(client: TestClient):
    body = [event(), event(), event(properties={"consent_analytics": False}), event(who="null")]
    first = client.post(WEBHOOK, json=body, headers=STATIC)
    again = client.post(WEBHOOK, json={"event": body[0], "person": {"id": "p"}}, headers=STATIC)

    assert first.status_code == again.status_code == 200
    assert counts(first.json()) == (2, 0, 1, 1)
    assert first.json()["rejections"] == [
        {"index": 3, "reason": "distinct_id is missing or a placeholder"}
    ]
    assert counts(again.json()) == (0, 1, 0, 0)


def test_a_signed_delivery_is_known_when_it_comes_again(client: TestClient):
    body = json.dumps(event()).encode()
    later = datetime.now(UTC) + timedelta(seconds=5)
    first = client.post(WEBHOOK, content=body, headers=signed(body, "msg_1"))
    retried = client.post(WEBHOOK, content=body, headers=signed(body, "msg_1", later))

    assert (first.json()["status"], counts(first.json())) == ("ok", (1, 0, 0, 0))
    assert (retried.status_code, retried.json()["status"]) == (200, "duplicate")
    assert counts(retried.json()) == (0, 0, 0, 0)


def test_when_nothing_can_be_taken_in_the_answer_says_why(client: TestClient):
    answer = client.post(WEBHOOK, json=[event(uuid="x"), event(timestamp="soon")], headers=STATIC)

    assert answer.status_code == 422
    told = answer.json()
    assert told["error"] == "invalid"
    assert told["detail"].startswith("None of these events can be taken in: ")
    assert [each["index"] for each in told["rejections"]] == [0, 1]


@pytest.mark.parametrize(
    ("body", "headers", "status", "error"),
    [
        (b"{", STATIC, 400, "unreadable_body"),
        (b'{"text": "hi"}', STATIC, 400, "unreadable_body"),
        (b"[]", {}, 401, "unauthorized"),
        (b"[]", {"x-webhook-token": "other"}, 401, "unauthorized"),
        (b"[]", {"webhook-signature": "v1,x"}, 400, "bad_request"),
        (b"[" + b"0," * 10_000 + b"0]", STATIC, 413, "body_too_large"),
        (b" " * (20 * 1024 * 1024 + 1), STATIC, 413, "too_large"),
    ],
)
def test_what_is_wrong_with_a_webhook(
    client: TestClient, body: bytes, headers: dict[str, str], status: int, error: str
):
    answer = client.post(WEBHOOK, content=body, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["detail"].endswith(".")


def test_a_body_of_unknown_length_is_bounded_too(client: TestClient):
    parts = (b" " * 1024 * 1024 for _ in range(22))

    assert client.post(WEBHOOK, content=parts, headers=STATIC).status_code == 413


def test_many_bad_events_are_refused_at_once(client: TestClient):
    bad = [event(properties="text") for _ in range(500)]
    answer = client.post(WEBHOOK, json=[*bad, event()], headers=STATIC)

    assert counts(answer.json()) == (1, 0, 0, 500)


def test_a_deep_body_is_refused_before_it_meets_others(client: TestClient):
    deep = "[" * 400 + "]" * 400
    answer = client.post(WEBHOOK, content=f'{{"event": {deep}}}', headers=STATIC)

    assert answer.status_code == 400


def test_of_a_delivery_that_is_repeated_nothing_is_looked_at(client: TestClient):
    sent = event("lead_captured", "lead-2", properties={"email": "bob.roe@acme.com"})
    first, other = json.dumps(sent).encode(), json.dumps(sent | {"distinct_id": "lead-3"}).encode()
    client.post(WEBHOOK, content=first, headers=signed(first, "msg_lead"))
    again = client.post(WEBHOOK, content=other, headers=signed(other, "msg_lead"))

    assert again.json()["status"] == "duplicate"
    inlet = client.app.state.crew.inlet  # type: ignore[attr-defined]
    assert inlet.enrichment.lead("lead-2")["status"] == "pending"
    with pytest.raises(UnknownPerson):
        inlet.enrichment.lead("lead-3")


def test_what_was_refused_is_no_repeat_when_it_comes_again(client: TestClient):
    body = json.dumps(event(timestamp="soon")).encode()
    statuses = [
        client.post(WEBHOOK, content=body, headers=signed(body, "msg_refused")).status_code
        for _ in range(2)
    ]

    assert statuses == [422, 422]


NASTY = (
    "\ud800", "\x00", "a\x00b", "'; drop table posted; --", "$inner_pad", "{", "\\u0000", "é" * 300,
    10**400, -(10**30), 1e308, [[[[]]]], {"a": {"b": [None]}}, None, True, "",
)  # fmt: skip


@pytest.mark.parametrize("value", NASTY, ids=repr)
def test_no_event_keeps_its_neighbour_out(client: TestClient, value: Any):
    odd = [
        event(properties={"plan": value, "$session_id": value, "alias": value}),
        event(properties={str(value): 1}),
        event(who=value),
        event(name=value),
        event(uuid=value),
        event(timestamp=value),
        event(properties=value),
        value,
    ]
    answer = client.post(WEBHOOK, content=json.dumps([event(), *odd]).encode(), headers=STATIC)

    assert answer.status_code == 400 if value in ("\ud800", 10**400) else 200
    if answer.status_code == 200:
        assert answer.json()["accepted"] >= 1
        assert 0 not in [each["index"] for each in answer.json()["rejections"]]


@pytest.mark.parametrize("path", ["/batch/", "/batch", "/capture/", "/i/v0/e/", "/e/"])
def test_an_sdk_sends_to_any_of_posthogs_endpoints(client: TestClient, path: str):
    body = {"api_key": "phc_tests", "batch": [event(), event(who="")]}
    packed = gzip.compress(json.dumps(body).encode())
    plain = client.post(path, json=body)
    again = client.post(path, content=packed, params={"compression": "gzip-js"})

    assert plain.status_code == again.status_code == 200
    assert counts(plain.json()) == (1, 0, 0, 1)
    assert counts(again.json()) == (0, 1, 0, 1)
    assert plain.headers["access-control-allow-origin"] == "*"


def test_a_browser_may_ask_first(client: TestClient):
    answer = client.options("/e/", headers={"origin": "https://shop.example"})

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in client.get("/healthz").headers


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"api_key": "phc_tests", **event()}, 200),
        ({"token": "phc_tests", **event()}, 200),
        ([event(properties={"token": "phc_tests"})], 200),
        ({"api_key": "phc_other", **event()}, 401),
        ([event(properties={"token": "phc_tests"}), event(properties={"token": "x"})], 401),
        (event(), 401),
        ({"api_key": "phc_tests", **event(who="null")}, 200),
    ],
)
def test_only_a_known_project_key_sends(client: TestClient, body: Any, status: int):
    assert client.post("/capture/", json=body).status_code == status


def test_a_captured_address_queues_a_lead_with_the_event(client: TestClient):
    sent = event("lead_captured", "lead-1", properties={"email": "ann.roe@acme.com"})
    assert client.post(WEBHOOK, json=sent, headers=STATIC).status_code == 200

    crew = client.app.state.crew  # type: ignore[attr-defined]
    lead = crew.inlet.enrichment.lead("lead-1")
    assert (lead["status"], lead["email_domain"]) == ("pending", "acme.com")


def test_the_webhooks_health_has_figures_for_who_may_read(client: TestClient):
    assert client.get(WEBHOOK).json() == {"status": "ok"}
    before = client.get(WEBHOOK, headers=READ).json()
    client.post(WEBHOOK, json=[event(), event(uuid="x")], headers=STATIC)
    after = client.get(WEBHOOK, headers=READ).json()

    assert after["accepted"] - before["accepted"] == 1
    assert after["rejected"] - before["rejected"] == 1
    assert after["whitelist_size"] > 60
    assert after["inbox"]["events"] >= 1
    assert after["inbox"]["lag_seconds"] >= 0


def test_metrics_count_what_came(client: TestClient):
    client.post(WEBHOOK, json=event(), headers=STATIC)
    text = client.get("/metrics", headers=READ).text

    assert client.get("/metrics").status_code == 401
    assert 'mi_events_total{outcome="accepted",source="webhook"}' in text
    assert f'route="{WEBHOOK}",status="200"' in text
    assert "mi_inbox_events " in text


def test_a_log_line_names_the_route_and_not_the_person(
    client: TestClient, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO, "mi_core.api"):
        answer = client.get(
            "/api/v1/marketing/intent/ann@example.com", headers={"x-request-id": "abc-1"}
        )

    [line] = caplog.records
    assert answer.headers["x-request-id"] == "abc-1"
    assert (line.route, line.status) == ("/api/v1/marketing/intent/{user_id:path}", 401)
    assert "ann@" not in str(vars(line))


def test_a_made_up_request_id_is_not_taken_over(client: TestClient):
    told = client.get("/healthz", headers={"x-request-id": "a b\tc"}).headers["x-request-id"]

    assert len(told) == 32


def test_every_answer_has_the_headers_that_browsers_heed(client: TestClient):
    for path in ("/healthz", "/nowhere", WEBHOOK):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"


def test_what_is_not_there_is_said_in_the_one_shape(client: TestClient):
    missing, wrong = client.get("/nowhere"), client.put(WEBHOOK)

    assert (missing.status_code, missing.json()["error"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["error"]) == (405, "method_not_allowed")


def test_a_failure_is_told_without_what_it_says(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("of ann@example.com")

    monkeypatch.setattr(client.app.state.entry, "health", fail)  # type: ignore[attr-defined]
    answer = client.get(WEBHOOK)

    assert (answer.status_code, answer.json()["error"]) == (500, "internal")
    assert "x-request-id" in answer.headers
    assert "ann@" not in answer.text + str([vars(each) for each in caplog.records])
    assert any("test_api_events.py:" in str(vars(each)) for each in caplog.records)


def test_too_many_requests_are_slowed_down(module_client: Client):
    client = module_client(**SETTINGS, api_requests_per_minute=3)
    statuses = [client.get("/reports/", headers=READ).status_code for _ in range(5)]

    made_up = [
        client.get("/reports/", headers={"authorization": f"Bearer {n}"}).status_code
        for n in range(5)
    ]

    assert statuses == [200, 200, 200, 429, 429]
    assert made_up == [401, 401, 401, 429, 429]  # by address
    assert client.post(WEBHOOK, json=event(), headers=STATIC).status_code == 200


# --- nobody set a secret


@pytest.mark.parametrize(
    ("host", "origin", "path", "status"),
    [
        ("localhost", None, WEBHOOK, 200),
        ("127.0.0.1:8000", None, WEBHOOK, 200),
        ("[::1]:8000", "http://localhost:3000", WEBHOOK, 200),
        ("evil.example", None, WEBHOOK, 403),
        ("localhost", "https://evil.example", WEBHOOK, 403),
        ("localhost", "null", WEBHOOK, 403),
        ("localhost", "cross-site", WEBHOOK, 403),
        ("localhost", "same-origin", WEBHOOK, 200),
        ("localhost", "same-site", WEBHOOK, 200),
        ("localhost", "https://shop.example", "/e/", 403),
        ("localhost", "http://127.0.0.1:3000", "/e/", 200),
        ("evil.example", "https://shop.example", "/e/", 403),
    ],
)
def test_an_open_server_is_for_this_machine(
    module_client: Client, host: str, origin: str | None, path: str, status: int
):
    headers = {"host": host}
    if origin:
        headers["sec-fetch-site" if origin.endswith(("-site", "-origin")) else "origin"] = origin

    assert module_client().post(path, json=event(), headers=headers).status_code == status


def test_one_secret_closes_everything_else(module_client: Client):
    client = module_client(capture_key="phc_tests")

    assert client.post(WEBHOOK, json=event()).status_code == 401
    assert client.get("/metrics").status_code == 401
    assert client.post("/e/", json={**event(), "api_key": "phc_tests"}).status_code == 200


def test_a_page_of_this_machine_may_send_to_an_open_server(module_client: Client):
    browser = {"origin": "http://127.0.0.1:3000", "sec-fetch-site": "cross-site"}

    assert module_client().post("/e/", json=event(), headers=browser).status_code == 200


# --- reports


@pytest.fixture
def report(client: TestClient) -> Iterator[str]:
    folder: Path = client.app.state.folder / "reports"  # type: ignore[attr-defined]
    folder.mkdir()
    (folder / "by channel.html").write_text("<script>1</script>")
    (folder / "history" / "by channel").mkdir(parents=True)
    (folder / "history" / "by channel" / "2024-06-01T000000.html").write_text("of June")
    (folder.parent / "secret.html").write_text("no report")
    yield "by channel.html"
    shutil.rmtree(folder)


def test_reports_are_listed_and_served_for_a_token(client: TestClient, report: str):
    index = client.get("/reports/", headers=READ)
    page = client.get(f"/reports/{report}", headers=READ)

    assert '<a href="by%20channel.html">by channel</a>' in index.text
    assert page.text == "<script>1</script>"
    assert "sandbox" in page.headers["content-security-policy"]
    assert client.get(f"/reports/{report}").status_code == 401


@pytest.mark.parametrize(
    "name",
    [
        "history/by channel/../../../secret.html",
        "history/by channel/2024-06-02T000000.html",
        "../secret.html",
        "..%2Fsecret.html",
        "%2E%2E/secret.html",
        "none.html",
        "hash.keys",
    ],
)
def test_nothing_else_is_served(client: TestClient, report: str, name: str):
    assert client.get(f"/reports/{name}", headers=READ).status_code == 404


def test_a_link_opens_what_it_names(client: TestClient, report: str):
    one = client.post("/api/v1/reports/link", json={"report": report}, headers=READ).json()
    every = client.post("/api/v1/reports/link", json={"days": 1}, headers=READ).json()
    listed = client.get(every["path"]).text
    newest, earlier = (unescape(each) for each in re.findall(r'href="([^#"]+)"', listed))
    june = {"report": "history/by channel/2024-06-01T000000.html"}
    edition = client.post("/api/v1/reports/link", json=june, headers=READ).json()

    assert client.get(one["path"]).status_code == 200
    assert client.get(one["path"].replace("by%20channel.html", "")).status_code == 401
    assert client.get(one["path"][:-2] + "..").status_code == 401
    assert client.get(f"/reports/{newest}").status_code == 200
    assert client.get(f"/reports/{earlier}").text == "of June"
    assert client.get(every["path"].replace("/?", "/index.html?")).text == listed
    assert client.get(edition["path"]).text == "of June"
    assert (
        client.get(
            edition["path"].replace("history/by%20channel/2024-06-01T000000", "by%20channel")
        ).status_code
        == 401
    )
    assert one["expires_at"] > every["expires_at"]


@pytest.mark.parametrize(("asked", "status"), [({"report": "x.html"}, 404), ({"days": 91}, 422)])
def test_a_link_to_nothing_is_not_made(client: TestClient, asked: Any, status: int):
    assert client.post("/api/v1/reports/link", json=asked, headers=READ).status_code == status


def test_a_link_ends(client: TestClient):
    links = Links(HashKeys((b"k" * 32,)))
    now = datetime(2024, 7, 1, tzinfo=UTC)
    path, ends = links.link("a.html", now=now, days=7)
    query = dict(each.split("=") for each in path.partition("?")[2].split("&"))

    assert ends == now + timedelta(days=7)
    assert links.admit(query, "a.html", now=ends - timedelta(seconds=1))
    assert not links.admit(query, "a.html", now=ends)
    assert not links.admit(query, "b.html", now=now)
    assert not links.admit(query | {"expires": "99999999999"}, "a.html", now=now)
    assert not Links(HashKeys((b"o" * 32,))).admit(query, "a.html", now=now)
    assert Links(HashKeys((b"n" * 32, b"k" * 32))).admit(query, "a.html", now=now)


# --- commits


class SlowCrew:
    """Takes its time for each commit, and remembers how large they were."""

    def __init__(self, fails: bool = False) -> None:
        self.commits: list[int] = []
        self.fails = fails

    async def admit(self, _verb: object, deliveries: list[Delivery]) -> list[Taken]:
        await asyncio.sleep(0.05)
        self.commits.append(len(deliveries))
        if self.fails:
            raise OSError("disk full")
        return [Taken(accepted=len(each.events)) for each in deliveries]


def deliver(crew: Any, count: int) -> list[Any]:
    async def run() -> list[Any]:
        taking = Intake(crew)
        delivery = Delivery([event()], "webhook")
        first = asyncio.create_task(taking.take(delivery))
        await asyncio.sleep(0.02)
        rest = [taking.take(delivery) for _ in range(count - 1)]
        found = await asyncio.gather(first, *rest, return_exceptions=True)
        await taking.close()
        return list(found)

    return asyncio.run(run())


def test_what_arrives_during_a_commit_is_committed_together():
    crew = SlowCrew()

    assert deliver(crew, 50) == [Taken(accepted=1)] * 50
    assert crew.commits == [1, 49]


def test_a_commit_that_fails_is_tried_one_by_one_and_told_to_all_who_wait():
    crew = SlowCrew(fails=True)
    told = deliver(crew, 3)

    assert crew.commits == [1, 2, 1, 1]
    assert [each.status for each in told] == [503, 503, 503]
    assert {each.headers["Retry-After"] for each in told} == {"5"}


def test_a_sender_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(intake, "_PATIENCE_SECONDS", 0.01)

    [told] = deliver(SlowCrew(), 1)
    assert isinstance(told, Busy)
    assert told.status == 503


def test_when_too_many_wait_the_next_is_asked_to_come_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(intake, "MOST_WAITING", 2)

    told = deliver(SlowCrew(), 4)
    assert [getattr(each, "status", 200) for each in told] == [200, 200, 429, 429]
    assert told[2].headers["Retry-After"] == "5"


def test_when_others_wait_too_long_the_next_is_asked_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(intake, "_LONGEST_WAIT_SECONDS", -1)

    told = deliver(SlowCrew(), 3)
    assert [getattr(each, "status", 200) for each in told] == [200, 200, 429]
