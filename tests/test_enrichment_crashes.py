"""Workers that are killed at any moment lose no lead, and the ledger still agrees with the bill."""

import itertools
import os
import queue
import random
import signal
import sqlite3
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from enrichment_desk import desk, settle_by_bills
from enrichment_worker import Running, Workers, certificates
from provider_fakes import Providers
from provider_faults import Fault

from mi_core.enrichment.intake import Entry
from mi_core.settings import load_settings
from mi_core.state import Row
from mi_core.workspace import Workspace

KILLS = int(os.environ.get("ENRICHMENT_KILLS", "4"))
"""How often two workers at once are killed; some hundreds make a long soak."""

RULES = """
[enrichment]
tries = 50
retry_seconds = 0.01
concurrency = 4
[enrichment.breaker]
failures = 1000
pause_seconds = 0.3
"""
PROVIDERS = ("rapidapi", "perplexity", "openai")
PASSING = (
    *("rate_limited", "server_error", "html", "cut_before", "cut_after", "cut_midway"),
    *("malformed_json", "invalid_json", "unknown_slug"),
    Fault("cut_after", reset=True),
    Fault("html", status=200),
)
"""What may happen to a call and not to the next one."""


@pytest.fixture(autouse=True)
def _few_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl, "create_default_context", certificates)


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    with Workers(tmp_path_factory.mktemp("workers") / "errors.txt") as started:
        yield started
    assert not started.errors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


@pytest.fixture
def opened(folder: Path, providers: Providers) -> Iterator[Workspace]:
    with desk(folder, providers, RULES) as workspace:
        yield workspace


def people(numbers: range, *, per_company: int = 2) -> list[Entry]:
    """Leads with names of their own, so many at each company."""
    letters = "abcdefghij"
    return [
        Entry(
            f"jo{''.join(letters[int(digit)] for digit in f'{number:04}')}.roe"
            f"@company-{number // per_company}.com",
            f"lead-{number}",
        )
        for number in numbers
    ]


def end_leases(workspace: Workspace, dead: Running) -> None:
    """Let the time pass that a dead worker's leases and claims have left, for nobody else."""
    ended = datetime(2024, 1, 1, tzinfo=UTC)
    of_the_dead = f"%{dead.name}"
    with workspace.state.writing() as transaction:
        for table, token, end in (
            ("user_identity", "lease_token", "lease_expires_at"),
            ("company_profile", "claim_token", "claim_expires_at"),
        ):
            statement = f"update {table} set {end} = :ended where {token} like :dead"
            transaction.change(statement, ended=ended, dead=of_the_dead)


def drain(workspace: Workspace) -> None:
    """Work the queue until all are through, without waiting for what has to wait."""
    enrichment, begun = workspace.enrichment, workspace.enrichment.clock
    for hours in range(0, 100, 2):
        enrichment.clock = lambda hours=hours: datetime.now(UTC) + timedelta(hours=hours)
        enrichment.work(None)
        if not rows(workspace, "select 1 from user_identity where status <> 'completed' limit 1"):
            break
    enrichment.clock = begun


# --- What has to be true -----------------------------------------------------------------------


def rows(workspace: Workspace, query: str) -> list[dict[str, Any]]:
    with workspace.state.reading() as transaction:
        return transaction.rows(query)


def ledger(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """Calls by their ids; what a cache answered was none."""
    query = "select * from enrichment_call where is_cached = 0"
    return {row["call_id"]: row for row in rows(workspace, query)}


def billed(providers: Providers, provider: str | None = None) -> dict[str, int]:
    """The bill: call id → millionths of a dollar."""
    bill = {str(each.call_id): each.cost_micros for each in providers.bill(provider)}
    assert len(bill) == len({each.call_id for each in providers.bill(provider)})
    return bill


def assert_nothing_is_understated(workspace: Workspace, providers: Providers) -> None:
    """Each billed call is in the ledger, at its cost or held for no less; and the days add up."""
    so_far = billed(providers)
    # Workers may be at work: one query sees one moment, between two looks at the bill.
    seen = rows(
        workspace,
        "select *, (select sum(committed_micros) from enrichment_day) as days"
        " from enrichment_call where is_cached = 0",
    )
    calls = {row["call_id"]: row for row in seen}
    bill = billed(providers)
    for call_id, cost in so_far.items():
        row = calls[call_id]
        assert row["cost_micros"] in (None, cost), row
        assert row["most_micros"] >= cost, row
    for call_id, row in calls.items():
        assert call_id in bill or not row["cost_micros"], row
    committed = sum(_committed(row) for row in calls.values())
    assert committed >= sum(so_far.values())
    assert {row["days"] for row in calls.values()} <= {committed}


def _committed(row: Row) -> int:
    held: int = row["most_micros"] if row["cost_micros"] is None else row["cost_micros"]
    return held


def settle(workspace: Workspace, providers: Providers) -> None:
    """Settle all that is open by the bill, once it is late enough for any call."""
    enrichment, begun = workspace.enrichment, workspace.enrichment.clock
    enrichment.clock = lambda: datetime.now(UTC) + timedelta(days=30)
    for provider in PROVIDERS:
        enrichment.settle(provider, billed(providers, provider))
    enrichment.clock = begun


def assert_the_books_agree(workspace: Workspace, providers: Providers) -> None:
    """With the calls of unknown cost settled by the bill, every call is as on the bill."""
    assert_nothing_is_understated(workspace, providers)
    before = ledger(workspace)
    assert "reserved" not in {row["status"] for row in before.values()}
    settle_by_bills(workspace, providers)
    after = ledger(workspace)
    wrong = {
        call_id: (row, billed(providers).get(call_id))
        for call_id, row in after.items()
        if row["cost_micros"] != billed(providers).get(call_id, 0)
    }
    assert not wrong
    assert {row["provider"] for row in after.values()} == set(PROVIDERS)
    [days] = rows(workspace, "select sum(committed_micros) as micros from enrichment_day")
    assert days["micros"] == providers.total_micros()
    settled = [call_id for call_id, row in before.items() if row["cost_micros"] is not None]
    assert {each: after[each] for each in settled} == {each: before[each] for each in settled}


def assert_all_are_enriched(workspace: Workspace, entries: list[Entry]) -> None:
    """No lead is lost, none is enriched twice, and what was paid for is there once."""
    leads = rows(workspace, "select * from user_identity")
    assert Counter(row["status"] for row in leads) == {"completed": len(entries)}
    assert {row["email_encrypted"] for row in leads} == {None}
    people = {row["user_id"] for row in leads}
    workspace.drain()
    events = workspace.sql(
        "select user_id::varchar as user_id, count(*) as events from lake.analytics_events"
        " where event_name = 'identity_enriched' group by all"
    ).rows()
    assert dict(events) == dict.fromkeys(people, 1)
    personas = "select user_id from user_persona where superseded_at is null"
    assert sorted(row["user_id"] for row in rows(workspace, personas)) == sorted(people)
    steps = Counter(row["lead_id"] for row in rows(workspace, "select * from enrichment_step"))
    assert steps == {row["lead_id"]: 3 for row in leads}


def assert_answers_are_paid_for_once(workspace: Workspace) -> None:
    """A step has one answer that was paid for; a further call only after one that was lost."""
    paid = rows(workspace, "select lead_id, step from enrichment_step where source = 'paid'")
    answered = Counter(
        (row["lead_id"], row["step"]) for row in ledger(workspace).values() if row["status"] == "ok"
    )
    assert answered == Counter((row["lead_id"], row["step"]) for row in paid)
    domains = Counter(
        row["company_domain"]
        for row in rows(
            workspace,
            "select u.company_domain from enrichment_call as c join user_identity as u"
            " on u.lead_id = c.lead_id"
            " where c.step = 'company' and c.status = 'ok' and c.is_cached = 0",
        )
    )
    assert set(domains.values()) <= {1}


def assert_all_is_well(workspace: Workspace, providers: Providers, entries: list[Entry]) -> None:
    assert_the_books_agree(workspace, providers)
    assert_all_are_enriched(workspace, entries)
    assert_answers_are_paid_for_once(workspace)


# --- One worker, killed at every step ----------------------------------------------------------


@pytest.mark.parametrize(("at_once", "is_after"), [(2, False), (1, True)], ids=["before", "after"])
def test_a_worker_killed_at_each_commit_in_turn(
    at_once: int,
    is_after: bool,
    opened: Workspace,
    providers: Providers,
    folder: Path,
    workers: Workers,
):
    entries: list[Entry] = []
    # Of two leads at once, each kind of commit comes twice: every other one is enough.
    for number in itertools.count(1, at_once):
        new = people(range(len(entries), len(entries) + at_once), per_company=at_once)
        entries += new
        assert opened.enrichment.put(new).queued == at_once
        worker = workers.start(folder, dies_at_commit=number, is_after=is_after)
        code, worked = worker.wait()
        assert_nothing_is_understated(opened, providers)
        if code == 0:
            assert worked
            assert worked["completed"] == at_once
            break
        assert code == -signal.SIGKILL
        end_leases(opened, worker)
        opened.enrichment.work(None)

    assert number > 7 * at_once
    assert_all_is_well(opened, providers, entries)


Kill = Callable[[str], bool]
Moment = Callable[[Providers, Kill], None]


def on_the_way(providers: Providers, kill: Kill) -> None:
    """The question came, and its asker goes before any work is done."""

    def cut(call: Any) -> str:
        return "cut_before" if kill(call.service) else "ok"

    for provider in PROVIDERS:
        providers.faults[provider] = cut


def on_the_way_back(providers: Providers, kill: Kill) -> None:
    """All is done and billed, and there is nobody to hear the answer."""

    def hook(service: str, call: Any) -> None:
        kill(service)

    providers.before_answer = hook


@pytest.mark.parametrize(("moment", "number"), [(on_the_way, 2), (on_the_way_back, 1)])
def test_a_worker_killed_during_a_call_of_each_service_in_turn(
    moment: Moment,
    number: int,
    opened: Workspace,
    providers: Providers,
    folder: Path,
    workers: Workers,
):
    entries: list[Entry] = []
    victims: queue.Queue[Running] = queue.Queue()
    for provider in PROVIDERS:
        group = people(range(len(entries), len(entries) + 4))
        entries += group
        opened.enrichment.put(group)
        calls = itertools.count(1)

        def kill(service: str, provider: str = provider, calls: Iterator[int] = calls) -> bool:
            if service != provider or next(calls) != number:
                return False
            victims.get(timeout=10).kill()
            return True

        moment(providers, kill)
        worker = workers.start(folder)
        victims.put(worker)
        assert worker.wait() == (-signal.SIGKILL, None)
        providers.before_answer = None
        providers.faults.clear()
        assert_nothing_is_understated(opened, providers)
        end_leases(opened, worker)
        opened.enrichment.work(None)

    lost = [row for row in ledger(opened).values() if row["status"] == "lost"]
    assert {row["provider"] for row in lost} == set(PROVIDERS)
    assert_all_is_well(opened, providers, entries)


# --- Two workers at once -----------------------------------------------------------------------


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_two_workers_killed_at_random_while_calls_fail(
    store: str,
    providers: Providers,
    folder: Path,
    workers: Workers,
    request: pytest.FixtureRequest,
):
    settings: dict[str, str] = {}
    if store == "postgresql":
        url = request.getfixturevalue("postgres_url")
        settings = {"state_url": url, "catalog_url": url}
    rng = random.Random(KILLS)
    most = KILLS if store == "sqlite" else max(1, KILLS // 3)
    providers.latency_seconds = 0.02
    providers.faults.random(0.05, PASSING, seed=7)
    with desk(folder, providers, RULES, load_settings(**settings)) as workspace:
        entries = people(range(10))
        workspace.enrichment.put(entries)
        running = [workers.start(folder, **settings) for _ in range(2)]
        kills = 0
        while kills < most:
            _wait_for_calls(providers, rng.randint(1, 10))
            time.sleep(rng.uniform(0, 0.05))
            victim = running.pop(rng.randrange(2))
            victim.kill()
            kills += victim.wait()[0] == -signal.SIGKILL
            end_leases(workspace, victim)
            assert_nothing_is_understated(workspace, providers)
            more = people(range(len(entries), len(entries) + 2))
            entries += more
            workspace.enrichment.put(more)
            running.append(workers.start(folder, **settings))
        assert [worker.wait()[0] for worker in running] == [0, 0]
        providers.faults.clear()
        drain(workspace)

        print(_figures(workspace, providers, kills))
        assert_all_is_well(workspace, providers, entries)


def _wait_for_calls(providers: Providers, calls: int, seconds: float = 0.6) -> None:
    """Wait for so many calls more, if they come."""
    until = time.monotonic() + seconds
    most = len(providers.asked()) + calls
    while len(providers.asked()) < most and time.monotonic() < until:
        time.sleep(0.002)


def _figures(workspace: Workspace, providers: Providers, kills: int) -> Row:
    calls = ledger(workspace).values()
    return {
        "kills": kills,
        "leads": len(rows(workspace, "select 1 from user_identity")),
        "calls": len(calls),
        "statuses": dict(Counter(row["status"] for row in calls)),
        "billed": len(providers.bill()),
        "micros": providers.total_micros(),
        "held_before_settling": sum(
            row["most_micros"] for row in calls if row["cost_micros"] is None
        ),
    }


# --- Workers that come back, that are told to stop, that may not spend more --------------------


def leads(workspace: Workspace) -> list[Row]:
    """All that is stored of them, but for the cost of calls that were settled since."""
    found = rows(workspace, "select * from user_identity order by user_id")
    return [{name: each for name, each in row.items() if name != "cost_micros"} for row in found]


def put_to_sleep(worker: Running, folder: Path) -> None:
    """Stop a worker, but not while it holds the lock that everybody needs."""
    while True:
        worker.send(signal.SIGSTOP)
        connection = sqlite3.connect(folder / "state.sqlite", timeout=0.05, isolation_level=None)
        with closing(connection), suppress(sqlite3.OperationalError):
            connection.execute("begin immediate")
            return
        worker.send(signal.SIGCONT)


def test_a_worker_that_was_thought_dead_changes_nothing_more(
    opened: Workspace, providers: Providers, folder: Path, workers: Workers
):
    entries = people(range(4))
    opened.enrichment.put(entries)
    providers.latency_seconds = 0.5
    sleeper = workers.start(folder)
    providers.wait_for(4)
    put_to_sleep(sleeper, folder)
    end_leases(opened, sleeper)
    providers.latency_seconds = 0
    assert opened.enrichment.work(None).completed == 4
    found = leads(opened)
    steps = rows(opened, "select * from enrichment_step order by lead_id, step")
    assert {row["status"] for row in ledger(opened).values()} == {"ok", "lost"}
    sleeper.send(signal.SIGCONT)
    code, worked = sleeper.wait()

    assert code == 0
    assert worked
    assert (worked["lost"], worked["completed"]) == (4, 0)
    assert leads(opened) == found
    assert rows(opened, "select * from enrichment_step order by lead_id, step") == steps
    # What it had asked all the same is settled by its own answers; nothing is left to settle.
    assert {row["status"] for row in ledger(opened).values()} == {"ok"}
    assert opened.enrichment.status().budget.day_micros == providers.total_micros()
    assert_the_books_agree(opened, providers)
    assert_all_are_enriched(opened, entries)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_told_to_stop_finishes_what_is_under_way_and_leaves_the_rest(
    number: signal.Signals,
    opened: Workspace,
    providers: Providers,
    folder: Path,
    workers: Workers,
):
    entries = people(range(14))
    opened.enrichment.put(entries)
    providers.latency_seconds = 0.1
    worker = workers.start(folder)
    providers.wait_for(4)
    worker.send(number)
    code, worked = worker.wait()

    assert code == 0
    assert worked
    taken = rows(opened, "select tries, status from user_identity where status <> 'pending'")
    assert Counter(row["status"] for row in taken) == {"completed": worked["completed"]}
    assert 4 <= worked["completed"] < 14
    left = rows(opened, "select tries, lease_token from user_identity where status = 'pending'")
    assert len(left) == 14 - worked["completed"]
    assert {(row["tries"], row["lease_token"]) for row in left} == {(0, None)}
    assert "lost" not in {row["status"] for row in ledger(opened).values()}
    opened.enrichment.work(None)
    assert_all_is_well(opened, providers, entries)


def test_no_cap_is_passed_however_many_workers_die(
    providers: Providers, folder: Path, workers: Workers
):
    cap = 130_000
    rules = RULES + f"[enrichment.budget]\ndaily_usd = {cap / 1e6}\n"
    providers.latency_seconds = 0.02
    with desk(folder, providers, rules) as workspace:
        entries = people(range(20), per_company=1)
        workspace.enrichment.put(entries)
        for calls in (6,):
            running = [workers.start(folder) for _ in range(2)]
            _wait_for_calls(providers, calls)
            for worker in running:
                worker.kill()
                worker.wait()
                end_leases(workspace, worker)
            assert workspace.enrichment.status().budget.day_micros <= cap
            assert_nothing_is_understated(workspace, providers)
        told = [worker.wait()[1] for worker in [workers.start(folder) for _ in range(2)]]

        assert providers.total_micros() <= workspace.enrichment.status().budget.day_micros <= cap
        for worked in told:
            assert worked
            assert worked["stopped"].startswith("The daily budget of $0.13 has $0.0")
            assert "is spent or held" in worked["alert"]
        left = rows(
            workspace, "select tries, status from user_identity where status <> 'completed'"
        )
        assert left
        assert {row["status"] for row in left} == {"pending"}

        # What was never billed is given free by the bill, and a new day has a budget of its own.
        settle_by_bills(workspace, providers)
        assert workspace.enrichment.status().budget.day_micros == providers.total_micros()
        for days in range(1, 9):
            later = timedelta(days=days)
            workspace.enrichment.clock = lambda later=later: datetime.now(UTC) + later
            workspace.enrichment.work(None)
            assert workspace.enrichment.status().budget.day_micros <= cap
        assert_all_is_well(workspace, providers, entries)
