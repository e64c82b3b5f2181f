"""A state of leads and calls to test with, on each engine in turn, empty at the start of a test."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from mi_core.definitions import EnrichmentRules, load_definitions
from mi_core.enrichment import queue
from mi_core.enrichment.queue import Finding, Lead, NewLead
from mi_core.settings import load_settings
from mi_core.state import State

RULES = load_definitions().enrichment
NOW = datetime(2024, 7, 10, 12, tzinfo=UTC)
LEASE = timedelta(seconds=RULES.lease_seconds)
EMPTIED = (
    "user_identity",
    "user_persona",
    "enrichment_call",
    "enrichment_step",
    "enrichment_day",
    "enrichment_provider",
    "enrichment_batch",
    "company_profile",
    "inbox",
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def open_state(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], State]]:
    """Opens the one state of a module, as often as it is asked to."""
    folder, settings = tmp_path_factory.mktemp("state"), load_settings()
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        name = request.module.__name__
        server.psql(f"create database {name};")
        url = server.get_uri().replace("/postgres?", f"/{name}?")
        settings = load_settings(state_url=url)
    opened: list[State] = []

    def open_another() -> State:
        opened.append(State.open(folder, settings))
        if request.param == "sqlite":
            sa.event.listen(opened[-1]._engine, "connect", _without_waiting_for_the_disk)
        return opened[-1]

    yield open_another
    for each in opened:
        each.close()


def _without_waiting_for_the_disk(connection: Any, _record: object) -> None:
    connection.execute("pragma synchronous = off")


@pytest.fixture(scope="module")
def module_state(open_state: Callable[[], State]) -> State:
    """A state as earlier tests left it."""
    return open_state()


@pytest.fixture
def state(module_state: State) -> State:
    """A state with nothing in it."""
    empty(module_state)
    return module_state


@pytest.fixture(scope="module")
def other_state(open_state: Callable[[], State]) -> State:
    """The same state, opened once more, as by another process."""
    return open_state()


def empty(state: State) -> None:
    with state.writing() as transaction:
        for table in EMPTIED:
            transaction.change(f"delete from {table}")


def is_postgresql(state: State) -> bool:
    return state._engine.dialect.name == "postgresql"


def person(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def new(number: int = 1, *, address: str | None = None, **told: Any) -> NewLead:
    """A lead of a person, by default with an address of its own."""
    name = address or f"person-{number}"
    fields = {
        "email_hash": f"hash of {name}",
        "email_domain": "company.com",
        "email_encrypted": f"secret of {name}",
    }
    return NewLead(person(number), "signup", **fields | told)


def bad(number: int = 1, **told: Any) -> NewLead:
    return NewLead(person(number), "import", error="This is no address.", **told)


def put(state: State, *leads: NewLead, at: datetime = NOW) -> list[str]:
    """What became of the leads, by user_id in order."""
    became = queue.put(state, leads, now=at, rules=RULES)
    return [became[user_id] for user_id in sorted(became)]


def lease(state: State, most: int = 1, *, at: datetime = NOW, **options: Any) -> list[Lead]:
    return queue.lease(state, most, now=at, rules=RULES, **options)


def take(state: State, number: int = 1, *, at: datetime = NOW, **told: Any) -> Lead:
    """A person's lead, put where there is none and leased."""
    put(state, new(number, **told), at=at)
    [lead] = lease(state, at=at, only=person(number))
    return lead


def finish(
    state: State, lead: Lead, status: str = "completed", *, at: datetime = NOW, **told: Any
) -> bool:
    with state.writing() as transaction:
        return queue.finish(transaction, lead, Finding(status, **told), now=at)


def fail(state: State, lead: Lead, *, due: datetime = NOW) -> bool:
    with state.writing() as transaction:
        return queue.fail(transaction, lead, "no luck", due=due)


def wait(state: State, lead: Lead) -> bool:
    with state.writing() as transaction:
        return queue.wait(transaction, lead)


def rows(state: State, query: str, **bound: object) -> list[dict[str, Any]]:
    with state.reading() as transaction:
        return transaction.rows(query, **bound)


def row(state: State, number: int = 1) -> dict[str, Any]:
    [found] = rows(state, "select * from user_identity where user_id = :id", id=person(number))
    return found


def status(state: State, number: int = 1) -> str:
    return str(row(state, number)["status"])


def bring_to(state: State, status: str, number: int = 1) -> None:
    """Put a person's lead into a status, by the way that leads take to it."""
    if status == "pending":
        put(state, new(number))
        return
    lead = take(state, number)
    if status in ("completed", "failed_permanent"):
        finish(state, lead, status)
    elif status == "failed":
        fail(state, lead, due=NOW + timedelta(hours=1))
    elif status == "waiting":
        wait(state, lead)
    elif status == "cancelled":
        queue.cancel(state, [lead.user_id], now=NOW)


def rules(**changed: Any) -> EnrichmentRules:
    return RULES.model_copy(update=changed)


def budget(daily: float = 1e6, monthly: float = 1e6) -> EnrichmentRules:
    caps = RULES.budget.model_copy(update={"daily_usd": daily, "monthly_usd": monthly})
    return rules(budget=caps)
