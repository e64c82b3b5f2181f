"""Routes of one person, analytics and cron: what they take, who gets in, and each status."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest
from api_people import AS_OF, ODD
from fastapi import FastAPI
from starlette.testclient import TestClient

from mi_core.api.models.cron import QueueWorked, Refreshed
from mi_core.api.models.people import Erased
from mi_core.api.problems import answer_problems
from mi_core.api.routes import analytics, cron, marketing, people
from mi_core.api.tokens import Tokens
from mi_core.api.verbs import cron as cron_verbs
from mi_core.api.verbs import people as people_verbs
from mi_core.erasure import Receipt
from mi_core.errors import LockTimeout, UnknownPerson
from mi_core.workspace import Workspace

TOKENS = {
    "api_token": ("all",),
    "api_read_token": ("look",),
    "cron_token": ("cron",),
    "privacy_token": ("people",),
}
PERSON = {"user_id": "ann", "persona_slug": "automation_pro", "confidence": 0.9}
MARKETING, ANALYTICS = "/api/v1/marketing", "/api/v1/analytics"


RECEIPT = Receipt(
    erasure_id="7d0c0f3a-2c5f-4b0e-9d3e-1f6a2b8c9d0e",
    begun_at=datetime.fromisoformat("2024-06-30T00:00:00Z"),
    finished_at=None,
    rows={"lake.user_event": 3},
    files={"staged_files": 0},
    reports=["acquisition.html"],
    snapshots={"expired": 4},
    hashes=2,
    remains=["keyed hashes"],
)


class HereCrew:
    """Does everything itself, on the spot."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    async def ask(self, verb: Callable[..., Any], *args: Any) -> Any:
        return verb(self.workspace, *args)

    work = write = ask


class StubCrew(HereCrew):
    """Answers with what it was given."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[Any, ...]] = []

    async def ask(self, verb: Callable[..., Any], *args: Any) -> Any:
        self.asked.append((verb, *args))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    work = write = ask


def _app() -> FastAPI:
    app = FastAPI()
    answer_problems(app)
    app.state.tokens = Tokens(TOKENS, is_open=False)
    for part in (marketing, analytics, cron, people):
        app.include_router(part.router)
    return app


APP = _app()
"""One for all tests, with another workspace behind it for each: to make it takes a while."""


def client_of(crew: HereCrew) -> TestClient:
    APP.state.crew = crew
    return TestClient(APP, headers={"Authorization": "Bearer all"}, raise_server_exceptions=False)


@pytest.fixture
def client(known: Workspace) -> TestClient:
    """Of a workspace with people, in which no test changes anything that another one reads."""
    return client_of(HereCrew(known))


@pytest.fixture
def empty(workspace: Workspace) -> TestClient:
    return client_of(HereCrew(workspace))


@pytest.fixture
def own(filled: Workspace) -> TestClient:
    """Of a workspace with the same people, of one test alone."""
    return client_of(HereCrew(filled))


def as_(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# --- who gets in

READS = [
    f"{MARKETING}/enrich?user_id=ann",
    f"{MARKETING}/enrichment-stats",
    f"{MARKETING}/persona?user_id=ann",
    f"{MARKETING}/magnetism/ann",
    f"{MARKETING}/intent/ann",
    f"{MARKETING}/attribution/ann",
    f"{ANALYTICS}/funnel",
    f"{ANALYTICS}/personas",
    f"{ANALYTICS}/magnetism-summary",
    f"{ANALYTICS}/attribution",
]
WRITES = [f"{MARKETING}/enrich", f"{MARKETING}/persona", f"{MARKETING}/magnetism/ann"]
CRON = ["/api/cron/refresh-marketing-views", "/api/cron/process-enrichment-queue"]
PEOPLE = ["/api/v1/people/ann"]


@pytest.mark.parametrize(
    ("method", "paths", "scope_token", "other_token"),
    [
        ("GET", READS, "look", "cron"),
        ("POST", WRITES, "all", "look"),
        ("GET", CRON, "cron", "all"),
        ("POST", CRON, "cron", "all"),
        ("GET", PEOPLE, "people", "all"),
        ("DELETE", PEOPLE, "people", "all"),
    ],
)
def test_each_route_has_its_scope(
    method: str, paths: list[str], scope_token: str, other_token: str
):
    asked = client_of(StubCrew(UnknownPerson("Nobody.")))
    for path in paths:
        statuses = {
            token: asked.request(method, path, headers=as_(token)).status_code
            for token in ("wrong", other_token, scope_token)
        }
        assert statuses.pop("wrong") == 401
        assert statuses.pop(other_token) == 403
        # Nothing was sent along, or nobody is known.
        assert statuses.pop(scope_token) in (404, 422)
    assert asked.request(method, path, headers={"Authorization": ""}).status_code == 401


# --- one person


@pytest.mark.parametrize("part", ["magnetism", "intent", "attribution"])
def test_a_person_has_an_id_of_any_characters(client: TestClient, part: str):
    found = client.get(f"{MARKETING}/{part}/{quote(ODD, safe='')}")
    shown = found.json()["user_id"]

    assert found.status_code == 200
    assert client.get(f"{MARKETING}/{part}/{shown}").json() == found.json()
    assert datetime.fromisoformat(found.json()["as_of"]) == AS_OF


@pytest.mark.parametrize("part", ["magnetism", "intent", "attribution"])
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("mallory@acme.example", 404),
        ("mallory%2F..%2Fann", 404),
        ("%00", 404),
        ("%FF", 404),
        ("e" * 400, 404),
        ("e" * 401, 422),
        ("", 422),
    ],
    ids=["stranger", "slashes", "nul", "no UTF-8", "longest", "too long", "empty"],
)
def test_a_stranger_is_not_found_and_not_named(
    client: TestClient, part: str, who: str, status: int
):
    found = client.get(f"{MARKETING}/{part}/{who}")

    assert found.status_code == status
    assert set(found.json()) >= {"error", "detail"}
    assert not who or who not in found.text
    assert "mallory" not in found.text


def test_a_window_is_7d_or_30d():
    crew = StubCrew(UnknownPerson("Nobody."))
    asked, path = client_of(crew), f"{MARKETING}/magnetism/ann"

    for query in ("", "?window=30d", "?window=7d"):
        assert asked.get(f"{path}{query}").status_code == 404
    assert [window for _, _, window in crew.asked] == ["30d", "30d", "7d"]
    assert asked.get(f"{path}?window=14d").status_code == 422
    assert asked.post(f"{path}?window=14d").status_code == 422
    assert asked.get(f"{ANALYTICS}/magnetism-summary?window=1d").status_code == 422


def test_scoring_somebody_now_answers_as_a_look_does_after_it(own: TestClient):
    path = f"{MARKETING}/magnetism/{quote(ODD, safe='')}"

    made = own.post(path)
    assert made.status_code == 200
    assert datetime.fromisoformat(made.json()["as_of"]) > AS_OF
    assert own.get(path).json() == made.json()
    assert own.post(f"{MARKETING}/magnetism/mallory").status_code == 404


# --- personas


def test_a_persona_is_assigned_by_slug_or_bucket(own: TestClient):
    by_slug = own.post(f"{MARKETING}/persona", json=PERSON)
    by_bucket = {"user_id": "ann", "persona_bucket_id": "corporate_executive"}
    weaker = PERSON | {"source": "behavior_analysis"}

    assert by_slug.status_code == 200
    assert by_slug.json()["changed"] is True
    assert own.post(f"{MARKETING}/persona", json=by_bucket).json()["changed"] is True
    assert own.post(f"{MARKETING}/persona", json=weaker).json()["changed"] is False
    found = own.get(f"{MARKETING}/persona", params={"user_id": "ann"})
    assert found.json()["bucket"]["slug"] == "corporate_executive"
    assert found.json() == own.post(f"{MARKETING}/persona", json=weaker).json()["assignment"]


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"persona_slug": "automation"}, 422, "did you mean 'automation_pro'"),
        ({"user_id": "mallory"}, 404, "Neither an event nor a lead"),
        ({"user_id": "e" * 401}, 422, "body.user_id"),
        ({"confidence": 2}, 422, "body.confidence"),
        ({"confidence": "high"}, 422, "body.confidence"),
        ({"source": "hearsay"}, 422, "body.source"),
        ({"persona_bucket_id": "automation_pro"}, 422, "one of the two"),
        ({"mood": "fine"}, 422, "body.?"),
    ],
    ids=str,
)
def test_a_bad_persona_is_refused(
    client: TestClient, change: dict[str, Any], status: int, says: str
):
    found = client.post(f"{MARKETING}/persona", json=PERSON | change)

    assert found.status_code == status
    assert says in found.json()["detail"]
    assert "mallory" not in found.text


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"ann"'])
def test_a_body_that_is_no_object_is_refused(client: TestClient, body: str):
    for part in ("persona", "enrich"):
        assert client.post(f"{MARKETING}/{part}", content=body).status_code in (400, 422)


# --- leads


def test_a_lead_is_queued_worked_and_told_of(empty: TestClient):
    lead = {"email": "jane@acme.example", "user_id": ODD, "trigger": "signup"}

    first = empty.post(f"{MARKETING}/enrich", json=lead)
    worked = empty.post("/api/cron/process-enrichment-queue", headers=as_("cron"))
    again = empty.post(f"{MARKETING}/enrich", json=lead)
    told = empty.get(f"{MARKETING}/enrich", params={"user_id": ODD})

    assert (first.status_code, first.json()["status"]) == (202, "queued")
    assert (worked.status_code, worked.json()["completed"]) == (200, 1)
    assert (again.status_code, again.json()["status"]) == (202, "skipped")
    assert again.json()["lead_status"] == told.json()["status"] == "completed"
    assert empty.get(f"{MARKETING}/enrichment-stats?days=1").json()["completed"] == 1


def test_a_refused_address_says_why(client: TestClient):
    found = client.post(f"{MARKETING}/enrich", json={"email": "jane", "user_id": "j1"})

    assert found.status_code == 422
    assert found.json() == {
        "error": "bad_value",
        "detail": "That is no e-mail address: it has no @.",
    }
    assert client.post(f"{MARKETING}/enrich", json={"user_id": "j1"}).status_code == 422
    half = '{"email": "j\\ud800@acme.example"}'
    assert client.post(f"{MARKETING}/enrich", content=half).status_code == 422


@pytest.mark.parametrize("part", ["enrich", "persona"])
@pytest.mark.parametrize(
    ("query", "status"),
    [("?user_id=mallory", 404), ("", 422), ("?user_id=", 422), (f"?user_id={'e' * 401}", 422)],
    ids=["stranger", "none", "empty", "too long"],
)
def test_who_is_asked_about_must_be_known(client: TestClient, part: str, query: str, status: int):
    assert client.get(f"{MARKETING}/{part}{query}").status_code == status


# --- everybody


@pytest.mark.parametrize(
    "path",
    [f"{ANALYTICS}/funnel", f"{ANALYTICS}/attribution", f"{MARKETING}/enrichment-stats"],
)
def test_days_are_1_to_365(client: TestClient, path: str):
    for days, status in (("1", 200), ("365", 200), ("0", 422), ("366", 422), ("ten", 422)):
        assert client.get(f"{path}?days={days}").status_code == status


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("model=lineal", "did you mean 'linear'"),
        ("by=canal", "There is no such column"),
        (f"model={'x' * 65}", "query.model"),
        ("intervals=perhaps", "query.intervals"),
    ],
    ids=["model", "by", "long", "intervals"],
)
def test_attribution_of_what_is_not_there(client: TestClient, query: str, says: str):
    found = client.get(f"{ANALYTICS}/attribution?{query}")

    assert found.status_code == 422
    assert says in found.json()["detail"]


def test_figures_of_everybody(client: TestClient):
    funnel = client.get(f"{ANALYTICS}/funnel?days=20").json()
    credits = client.get(f"{ANALYTICS}/attribution?model=linear&by=campaign").json()

    assert funnel["totals"]["purchases"] == 1
    assert client.get(f"{ANALYTICS}/personas").json()["users"] == 4
    assert client.get(f"{ANALYTICS}/magnetism-summary?window=7d").json()["people"] == 4
    assert sum(each["conversions"] for each in credits["credits"]) == credits["conversions"] == 2


# --- cron


@pytest.mark.parametrize("path", CRON)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_cron_by_get_and_by_post(path: str, method: str):
    model = Refreshed if "refresh" in path else QueueWorked
    [example] = model.model_json_schema()["examples"]
    crew = StubCrew(model(**example))

    found = client_of(crew).request(method, path, headers=as_("cron"))

    assert found.status_code == 200
    assert found.json() == example
    assert crew.asked == [
        (cron_verbs.refresh_views if model is Refreshed else cron_verbs.work_queue,)
    ]


def test_a_lock_that_is_held_for_too_long():
    held = client_of(StubCrew(LockTimeout("Another process is writing.")))
    found = held.post(CRON[0], headers=as_("cron"))

    assert (found.status_code, found.json()["error"]) == (503, "lock_timeout")


# --- people


def test_what_is_held_is_shown(client: TestClient):
    found = client.get(f"/api/v1/people/{quote(ODD, safe='')}", headers=as_("people"))

    assert found.status_code == 200
    assert found.json()["is_known"] is True
    assert len(found.json()["tables"]["lake.user_event"]["rows"]) == 1


def test_somebody_is_erased():
    crew = StubCrew(Erased.model_validate(RECEIPT))
    gone = client_of(crew)
    found = gone.delete(f"/api/v1/people/{quote(ODD, safe='')}", headers=as_("people"))

    assert found.status_code == 200
    assert crew.asked == [(people_verbs.erase, ODD)]
    told = found.json()
    assert told.pop("begun_at") == "2024-06-30T00:00:00Z"
    assert told == {n: v for n, v in RECEIPT.as_dict().items() if n != "begun_at"}


def test_of_a_stranger_nothing_is_held(client: TestClient):
    found = client.get("/api/v1/people/mallory", headers=as_("people"))

    assert (found.status_code, found.json()["error"]) == (404, "unknown_person")
    assert client.delete("/api/v1/people/", headers=as_("people")).status_code == 422


# --- the docs


def test_openapi_names_all_and_shows_examples(client: TestClient):
    told = client.get("/openapi.json").json()
    operations = [
        (path, method, each)
        for path, methods in told["paths"].items()
        for method, each in methods.items()
    ]

    assert len({each["operationId"] for _, _, each in operations}) == len(operations) == 19
    for path, method, each in operations:
        assert each["summary"]
        assert {"401", "403", "503"} <= set(each["responses"])
        if "{user_id}" in path and method != "delete":
            assert "404" in each["responses"]
    schemas = told["components"]["schemas"]
    assert all("examples" in schema for name, schema in schemas.items() if "HTTP" not in name)
