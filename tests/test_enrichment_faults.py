"""What becomes of leads, ledger and providers when calls fail in each way that there is."""

import json
import logging
import ssl
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy.event
from enrichment_desk import KEYS, desk, leads, settle_by_bills
from enrichment_worker import certificates
from provider_fakes import Providers
from provider_faults import KINDS, PAID, Fault, applies

from mi_core.definitions import Definitions
from mi_core.enrichment.intake import Entry
from mi_core.enrichment.queue import Lead
from mi_core.enrichment.working import TryAgain, retry_due
from mi_core.workspace import Workspace

STEP = {"rapidapi": "social", "perplexity": "company", "openai": "persona"}
HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _few_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl, "create_default_context", certificates)


class Clock:
    """Stands still until it is moved, or goes on by itself as well if it `ticks`."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.ticks = False
        self._began = time.monotonic()

    def __call__(self) -> datetime:
        seconds = time.monotonic() - self._began if self.ticks else 0
        return self.now + timedelta(seconds=seconds)


def opened(folder: Path, providers: Providers, rules: str = "") -> tuple[Workspace, Clock]:
    """A workspace with a clock of its own; nothing dies here, so it needn't wait for the disk."""
    workspace = desk(folder, providers, rules)

    @sqlalchemy.event.listens_for(workspace.state._engine, "connect")
    def _hurry(connection: Any, _: object) -> None:
        connection.execute("pragma synchronous = off")

    clock = Clock()
    workspace.enrichment.clock = clock
    return workspace, clock


@pytest.fixture
def workspace(tmp_path: Path, providers: Providers) -> Iterator[Workspace]:
    workspace, _ = opened(tmp_path / "workspace", providers)
    with workspace:
        yield workspace


def rows(workspace: Workspace, query: str) -> list[dict[str, Any]]:
    with workspace.state.reading() as transaction:
        return transaction.rows(query)


def is_billed_right(workspace: Workspace, providers: Providers) -> bool:
    """Whether the ledger is the bill once calls of unknown cost are settled by it."""
    settle_by_bills(workspace, providers)
    bill = {str(each.call_id): each.cost_micros for each in providers.bill()}
    calls = rows(workspace, "select call_id, cost_micros from enrichment_call")
    [days] = rows(workspace, "select sum(committed_micros) as micros from enrichment_day")
    costs = {row["call_id"]: row["cost_micros"] for row in calls}
    return costs == dict.fromkeys(costs, 0) | bill and days["micros"] == sum(bill.values())


# --- Each fault of each service, once -----------------------------------------------------------

FREE, KNOWN, HELD = "free", "known", "held"
ENDS = {
    "slow": ("ok", KNOWN),
    "html": ("lost", HELD),
    "rate_limited": ("rate_limited", FREE),
    "insufficient_quota": ("out_of_quota", FREE),
    "server_error": ("unavailable", FREE),
    "bad_key": ("key_refused", FREE),
    "forbidden": ("key_refused", FREE),
    "bad_request": ("rejected", FREE),
    "unprocessable": ("rejected", FREE),
    "hang_before": ("lost", HELD),
    "cut_before": ("lost", HELD),
    "hang_after": ("lost", HELD),
    "cut_after": ("lost", HELD),
    "cut_midway": ("lost", HELD),
    "malformed_json": ("invalid", HELD),
    "refusal": ("refused", KNOWN),
    "cut_off": ("cut_off", KNOWN),
    "invalid_json": ("invalid", KNOWN),
    "unknown_slug": ("invalid", KNOWN),
}
"""How a call ends with each fault, and what is then known of its cost."""
ALIKE = {
    ("rapidapi", "malformed_json"): ("invalid", KNOWN),  # its price is that of a call
    ("perplexity", "refusal"): ("invalid", KNOWN),  # it says so in words, which are no facts
    ("perplexity", "unknown_slug"): ("ok", KNOWN),  # a fact is left out, and the others stay
}
TRIED_AGAIN = ("invalid", "rate_limited", "unavailable", "lost")
SHUT = ("out_of_quota", "key_refused")


Shared = tuple[Providers, Workspace, Clock]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """Fakes, workspace and clock for all faults in turn: each leaves the providers well."""
    with Providers() as providers:
        workspace, clock = opened(tmp_path_factory.mktemp("faults") / "workspace", providers)
        with workspace:
            yield providers, workspace, clock
    assert not providers.errors


def impatient(definitions: Definitions, service: str) -> Definitions:
    """Definitions by which this service, and no other, is waited for a second."""
    rules = definitions.enrichment
    price = getattr(rules.providers, service).model_copy(update={"timeout_seconds": 1.0})
    providers = rules.providers.model_copy(update={service: price})
    enrichment = rules.model_copy(update={"providers": providers})
    return definitions.model_copy(update={"enrichment": enrichment})


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        (service, kind)
        for service in PAID
        for kind in KINDS
        if kind != "ok" and applies(kind, service)
    ],
)
def test_a_call_that_fails(
    service: str, kind: str, shared: Shared, monkeypatch: pytest.MonkeyPatch
):
    providers, workspace, clock = shared
    enrichment, step = workspace.enrichment, STEP[service]
    outcome, cost = ALIKE.get((service, kind), ENDS[kind])
    clock.now += timedelta(days=1)
    name = f"{service}-{kind}".replace("_", "-")
    [user_id] = enrichment.put([Entry(f"jane.roe@{name}.com", name)]).user_ids
    providers.faults[service] = [kind]
    with monkeypatch.context() as patch:
        if kind.startswith("hang"):
            hurried = impatient(enrichment.definitions, service)
            patch.setattr(enrichment, "definitions", hurried)
        enrichment.work(only=user_id)
    providers.faults.clear()

    lead = enrichment.lead(name)
    steps = {each["step"]: each for each in lead["steps"]}
    [call] = [each for each in lead["calls"] if each["step"] == step and each["most_micros"]]
    charges = {str(each.call_id): each.cost_micros for each in providers.bill(service)}
    billed = charges.get(call["call_id"], 0)
    assert (call["provider"], call["status"]) == (service, outcome)
    assert call["cost_micros"] == {FREE: 0, KNOWN: billed, HELD: None}[cost]
    assert billed <= call["most_micros"]
    is_billed = cost == KNOWN or (cost == HELD and "before" not in kind and kind != "html")
    assert (billed > 0) == is_billed
    [health] = [each for each in enrichment.status().providers if each["provider"] == service]
    assert (health["is_down"], health["is_shut"]) == (False, outcome in SHUT)
    assert health["failures_in_a_row"] == (outcome in ("unavailable", "lost"))
    if outcome == "ok":
        assert (lead["status"], lead["is_partial"], call["error"]) == ("completed", False, None)
        return
    assert call["error"]
    if outcome in SHUT:
        assert (lead["status"], lead["tries"], lead["error"]) == ("pending", 0, None)
        assert step not in steps
    elif outcome in TRIED_AGAIN:
        assert (lead["status"], lead["tries"]) == ("failed", 1)
        assert lead["error"] == f"{step} by {service}: {call['error']}"
        assert clock.now + timedelta(seconds=30) <= lead["next_try_at"]
        assert lead["next_try_at"] <= clock.now + timedelta(seconds=90)
        assert step not in steps
    else:
        assert (lead["status"], lead["is_partial"]) == ("completed", True)
        assert steps[step]["source"] == ("rules" if step == "persona" else "skipped")
        assert steps[step]["reason"] == outcome
        assert call["error"] in lead["error"]
        # Profiles can't be looked for any more: the address is gone.
        assert enrichment.retry(name, partial=True) == int(step != "social")
        if step == "social":
            assert is_billed_right(workspace, providers)
            return

    # All is well again: what was paid for is not asked again, and what is missing is.
    clock.now += 2 * HOUR
    assert enrichment.work(only=user_id).completed == 1
    lead = enrichment.lead(name)
    assert (lead["status"], lead["is_partial"]) == ("completed", False)
    asked = Counter(each["step"] for each in lead["calls"])
    # An answer that was cut off was paid for: the company isn't asked about again so soon, and
    # without it nothing is known that a model could judge by.
    in_vain = (service, outcome) == ("perplexity", "cut_off")
    unknown = {"persona": 1} if kind != "slow" and not in_vain else {}
    assert asked == {"social": 1, "company": 1, **unknown} | {step: 2}
    assert not any(each["is_shut"] for each in enrichment.status().providers)
    assert is_billed_right(workspace, providers)


def test_a_page_in_the_place_of_an_answer_is_paid_for(workspace: Workspace, providers: Providers):
    providers.faults["openai"] = [Fault("html", status=200)]
    workspace.enrichment.put(leads(1))
    workspace.enrichment.work()
    [call] = rows(workspace, "select * from enrichment_call where provider = 'openai'")
    assert (call["status"], call["cost_micros"]) == ("invalid", None)
    assert is_billed_right(workspace, providers)
    [call] = rows(workspace, "select * from enrichment_call where provider = 'openai'")
    assert (call["status"], call["cost_micros"]) == ("invalid", providers.total_micros("openai"))


# --- Retry-After, backoff, dead letters ---------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "in_ms"), [*((service, False) for service in PAID), ("openai", True)]
)
def test_a_service_that_says_when_is_left_alone_until_then(
    service: str, in_ms: bool, workspace: Workspace, providers: Providers
):
    enrichment, clock = workspace.enrichment, workspace.enrichment.clock
    providers.faults[service] = [Fault("rate_limited", retry_after=600, in_ms=in_ms)]
    enrichment.put(leads(1))
    assert enrichment.work().failed == 1
    due = clock.now + timedelta(seconds=600)
    assert enrichment.lead("lead-0")["next_try_at"] == due

    clock.now += timedelta(seconds=500)
    enrichment.put([Entry("jim.poe@other.com", "other")])
    assert enrichment.work().put_off == 1
    other = enrichment.lead("other")
    assert (other["status"], other["tries"], other["next_try_at"]) == ("pending", 0, due)
    assert len(providers.asked(service)) == 1

    clock.now = due
    assert enrichment.work().completed == 2
    assert len(providers.asked(service)) == 3
    assert is_billed_right(workspace, providers)


def test_a_short_wait_is_waited_for(workspace: Workspace, providers: Providers):
    workspace.enrichment.clock = lambda: datetime.now(UTC)
    providers.faults["perplexity"] = [Fault("rate_limited", retry_after=0.5)]
    workspace.enrichment.put(leads(1))
    assert workspace.enrichment.work().failed == 1
    workspace.enrichment.put([Entry("jim.poe@other.com", "other")])
    assert workspace.enrichment.work().completed == 1
    refused, answered = providers.asked("perplexity")
    assert answered.started_at - refused.started_at >= 0.5


TAKEN = Lead(
    user_id="user",
    lead_id="7fff0000",
    token="token",
    tries=1,
    for_batch=False,
    is_partial=False,
    email_hash="hash",
    email_domain="company.com",
    name_hash=None,
    email_encrypted=None,
    trigger="manual",
)


def test_backoff_is_four_times_as_long_each_time_and_a_day_at_most(workspace: Workspace):
    rules = workspace.enrichment.rules
    waits = []
    for tries in (1, 2, 3, 60, 10_000):
        lead = replace(TAKEN, tries=tries)
        waits.append(retry_due(lead, TryAgain("it failed", None), rules, BEGIN) - BEGIN)
    assert [round(wait.total_seconds()) for wait in waits] == [60, 240, 960, 86399, 86399]


@pytest.mark.parametrize("service", PAID)
def test_a_service_that_fails_every_time(service: str, workspace: Workspace, providers: Providers):
    enrichment, clock = workspace.enrichment, workspace.enrichment.clock
    providers.faults[service] = "server_error"
    enrichment.put(leads(1))
    for _ in range(3):
        enrichment.work()
        clock.now += HOUR
    lead = enrichment.lead("lead-0")
    is_dead = service == "openai"
    assert lead["status"] == ("failed_permanent" if is_dead else "completed")
    assert lead["tries"] == 3
    assert f"{STEP[service]} by {service}: " in lead["error"]
    assert enrichment.work().taken == 0

    providers.faults.clear()
    is_gone = service == "rapidapi"  # no address is left to search by
    assert enrichment.retry(partial=not is_dead) == int(not is_gone)
    assert enrichment.work().completed == int(not is_gone)
    assert enrichment.lead("lead-0")["is_partial"] == is_gone
    bill = Counter(each.service for each in providers.bill())
    assert bill == Counter(dict.fromkeys(PAID, 1) | ({"rapidapi": 0} if is_gone else {}))
    assert is_billed_right(workspace, providers)


# --- Budgets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("span", "name"), [("day", "daily"), ("month", "monthly")])
def test_a_cap_stops_the_queue_before_it_is_passed(
    span: str, name: str, tmp_path: Path, providers: Providers
):
    rules = f"[enrichment.budget]\n{name}_usd = 0.05\n"
    workspace, clock = opened(tmp_path / "workspace", providers, rules)
    with workspace:
        enrichment = workspace.enrichment
        enrichment.put(leads(12, companies=12))
        assert enrichment.work(2).alert is None
        worked = enrichment.work(None)

        assert worked.stopped
        assert worked.stopped.startswith(f"The {name} budget of $0.05 has $0.0")
        assert ", and a call may cost $0.0" in worked.stopped
        spent = providers.total_micros()
        assert 40_000 <= spent <= 50_000
        share = f"{spent / 50_000:.0%}"
        assert worked.alert == (
            f"{share} of the {name} budget is spent or held: ${spent / 1e6:.2f} of $0.05."
        )
        left = rows(workspace, "select * from user_identity where status <> 'completed'")
        assert left
        assert {(row["status"], row["tries"], row["error"]) for row in left} == {
            ("pending", 0, None)
        }
        enrichment.work(None)  # there may be cents left for a cheap call
        assert providers.total_micros() <= 50_000

        while providers.total_micros() < 80_000:
            clock.now += timedelta(days=1 if span == "day" else 31)
            before = providers.total_micros()
            enrichment.work(None)
            assert before < providers.total_micros() <= before + 50_000
        assert {row["status"] for row in rows(workspace, "select * from user_identity")} == {
            "completed"
        }
        assert is_billed_right(workspace, providers)


def test_a_call_of_unknown_cost_counts_in_full(tmp_path: Path, providers: Providers):
    providers.faults["perplexity"] = "cut_after"
    rules = "[enrichment]\nconcurrency = 1\n[enrichment.budget]\ndaily_usd = 0.03\n"
    workspace, _ = opened(tmp_path / "workspace", providers, rules)
    with workspace:
        workspace.enrichment.put(leads(6, companies=6))
        worked = workspace.enrichment.work(None)
        assert worked.stopped
        budget = workspace.enrichment.status().budget
        held = rows(workspace, "select most_micros from enrichment_call where cost_micros is null")
        assert sum(row["most_micros"] for row in held) > providers.total_micros("perplexity") > 0
        assert providers.total_micros() < budget.day_micros <= 30_000
        assert is_billed_right(workspace, providers)
        assert workspace.enrichment.status().budget.day_micros == providers.total_micros()


# --- Services that are down ---------------------------------------------------------------------


def test_leads_go_on_without_a_service_that_is_down_and_it_is_made_up_for_later(
    tmp_path: Path, providers: Providers
):
    rules = "[enrichment]\nconcurrency = 1\n[enrichment.breaker]\nfailures = 3\n"
    workspace, clock = opened(tmp_path / "workspace", providers, rules)
    with workspace:
        enrichment = workspace.enrichment
        providers.faults["perplexity"] = "server_error"
        enrichment.put(leads(6, companies=6))
        worked = enrichment.work(None)
        assert (worked.failed, worked.completed, worked.partial) == (3, 3, 3)
        [down] = [each for each in enrichment.status().providers if each["is_down"]]
        assert down["provider"] == "perplexity"
        assert down["down_until"] == clock.now + timedelta(seconds=60)
        assert len(providers.asked("perplexity")) == 3
        partial = rows(workspace, "select error from user_identity where is_partial = 1")
        assert {row["error"] for row in partial} == {f"perplexity is down: {down['reason']}"}

        clock.now += timedelta(minutes=2)  # one call tries whether it is back
        worked = enrichment.work(None)
        assert (worked.failed, worked.completed, worked.partial) == (1, 2, 2)
        assert len(providers.asked("perplexity")) == 4
        clock.now += HOUR
        assert enrichment.work(None).partial == 1

        providers.faults.clear()
        clock.now += HOUR
        before = Counter(each.service for each in providers.bill())
        assert before == {"rapidapi": 6}
        assert enrichment.retry(partial=True) == 6
        worked = enrichment.work(None)
        assert (worked.completed, worked.partial) == (6, 0)
        assert Counter(each.service for each in providers.bill()) == dict.fromkeys(PAID, 6)
        assert is_billed_right(workspace, providers)
        workspace.drain()
        events = workspace.sql(
            "select count(*), count(distinct user_id) from lake.analytics_events"
            " where event_name = 'identity_enriched'"
        )
        assert events.row(0) == (6, 6)


@pytest.mark.parametrize("service", PAID)
@pytest.mark.parametrize("kind", ["insufficient_quota", "bad_key"])
def test_an_account_that_can_not_be_used_stops_the_queue_until_it_is_mended(
    service: str, kind: str, workspace: Workspace, providers: Providers
):
    enrichment, clock = workspace.enrichment, workspace.enrichment.clock
    if kind == "bad_key":
        providers.keys[service] = "another key"
    else:
        providers.faults[service] = kind
    enrichment.put(leads(8, companies=2))
    worked = enrichment.work(None)

    assert (worked.completed, worked.put_off) == (0, 8)
    assert f"mi enrich reopen {service}" in str(worked.stopped)
    assert enrichment.status().leads["pending"] == 8
    [shut] = [each for each in enrichment.status().providers if each["is_shut"]]
    assert (shut["provider"], shut["shut_until"]) == (service, clock.now + HOUR)
    assert 1 <= len(providers.asked(service)) <= 8  # those that were under way together
    assert enrichment.work(None).completed == 0

    # Mended: what was paid for before isn't paid for again.
    providers.keys.clear()
    providers.faults.clear()
    enrichment.reopen(service)
    assert enrichment.work(None).completed == 8
    assert not rows(workspace, "select 1 from user_identity where is_partial = 1")
    bill = Counter(each.service for each in providers.bill())
    assert bill == {"rapidapi": 8, "perplexity": 2, "openai": 8}
    assert is_billed_right(workspace, providers)


# --- Many leads, a few faults -------------------------------------------------------------------

OFTEN = [kind for kind in KINDS if not kind.startswith(("hang", "slow"))]
FATAL = ("insufficient_quota", "bad_key", "forbidden")


def test_of_50_leads_with_one_in_ten_calls_failing(tmp_path: Path, providers: Providers):
    rules = "[enrichment.breaker]\npause_seconds = 3.0\n"
    kinds = [kind for kind in OFTEN if kind not in FATAL and kind != "ok"]
    providers.faults.random(0.1, kinds, seed=11)
    workspace, clock = opened(tmp_path / "workspace", providers, rules)
    clock.ticks = True
    with workspace:
        enrichment = workspace.enrichment
        entries = leads(50, companies=10)
        enrichment.put(entries)
        for _ in range(4):
            enrichment.work(None)
            clock.now += HOUR

        status = enrichment.status().leads
        assert status["completed"] >= 0.99 * len(entries)
        assert status["completed"] + status["failed_permanent"] == len(entries)
        partial = rows(workspace, "select 1 from user_identity where is_partial = 1")
        assert len(partial) < 0.05 * len(entries)
        assert sum(call.fault != "ok" for call in providers.asked()) > 5
        assert is_billed_right(workspace, providers)


# --- What is told to whom -----------------------------------------------------------------------


def test_no_address_name_or_key_is_told_to_anybody_who_need_not_know_it(
    tmp_path: Path, providers: Providers, caplog: pytest.LogCaptureFixture
):
    rules = "[enrichment]\ntries = 5\n[enrichment.breaker]\nfailures = 1000\n"
    workspace, clock = opened(tmp_path / "workspace", providers, rules)
    entries = [
        Entry(f"{first}.{last}@company-{number}.com", f"person-{number}", f"{first} {last}")
        for number, (first, last) in enumerate(
            [("quirina", "zwolle"), ("xaverius", "vogtland"), ("philippa", "ostrander")] * 3
        )
    ]
    said = {part for entry in entries for part in entry.email.split("@")[0].split(".")}
    secrets = {*said, *KEYS.values()}
    providers.faults.random(0.4, [kind for kind in OFTEN if kind not in FATAL], seed=3)
    with workspace, caplog.at_level(logging.DEBUG):
        enrichment = workspace.enrichment
        clock.ticks = True
        enrichment.put(entries)
        assert not found(workspace.path, secrets)
        for hours in range(6):
            if hours == 3:
                providers.faults["rapidapi"] = "bad_key"
                enrichment.put(
                    [Entry("quirina.vogtland@elsewhere.com", "late", "quirina vogtland")]
                )
            enrichment.work(None)
            assert not found(workspace.path, secrets)
            clock.now += HOUR
        enrichment.put([Entry("quirina@zwolle@", "nobody"), Entry("quirina@mailinator.com", "no")])
        for person in ("person-0", "late"):
            assert not mentioned(json.dumps(enrichment.lead(person), default=str), secrets - said)
        tables = ("enrichment_call", "enrichment_provider", "company_profile", "user_identity")
        kept = [rows(workspace, f"select * from {table}") for table in tables]
        assert not mentioned(json.dumps(kept, default=str), secrets)
        errors = rows(workspace, "select error, reason from enrichment_step")
        assert any(row["error"] for row in errors)
        assert not mentioned(json.dumps(errors), secrets)
        encrypted = {row["email_encrypted"] for row in kept[-1] if row["status"] == "completed"}
        assert encrypted == {None}

    assert len(caplog.records) > 100
    assert not mentioned(caplog.text, {*KEYS.values(), *(entry.email for entry in entries)})
    assert not mentioned(caplog.text, said)
    for call in providers.asked():
        assert "@" not in call.said
        assert not mentioned(call.said, KEYS.values())
        assert call.service == "rapidapi" or not mentioned(call.said, said)


def mentioned(text: str, words: Any) -> list[str]:
    return [word for word in words if word in text.lower()]


def found(folder: Path, words: Any) -> list[tuple[str, str]]:
    """Which files of a folder have which of the words in their bytes, deleted rows included."""
    everything = {path: path.read_bytes().lower() for path in folder.rglob("*") if path.is_file()}
    return [
        (path.name, word)
        for path, content in everything.items()
        for word in words
        if word.encode() in content
    ]
