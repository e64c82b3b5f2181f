"""Personas in batches: sent once, taken in once, and in the books to the millionth of a dollar."""

import functools
import json
import logging
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from enrichment_desk import desk, leads
from provider_fakes import Providers
from provider_faults import Fault

from mi_core.enrichment import batches, finishing
from mi_core.enrichment.batches import Batches
from mi_core.enrichment.intake import Entry
from mi_core.enrichment.providers.openai_batch import PersonaBatch
from mi_core.enrichment.worker import Worked
from mi_core.settings import Settings, load_settings
from mi_core.state import Row, State
from mi_core.workspace import Workspace

MINUTES = timedelta(minutes=1)
HOURS = timedelta(hours=1)
DAYS = timedelta(days=1)
BEGIN = datetime(2026, 11, 25, 9, tzinfo=UTC)

certificates = functools.cache(ssl.create_default_context)


@pytest.fixture(autouse=True)
def _few_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the machine's certificates once for all clients; the fakes need none."""
    monkeypatch.setattr(ssl, "create_default_context", certificates)


class Killed(BaseException):
    """The worker's process ends here."""


def unsure(user_ids: Any) -> dict[str, Row]:
    """Behaviour that rules make little of, of everybody."""
    return {
        user_id: {
            "user_id": user_id,
            "persona": "automation_pro",
            "persona_confidence": 0.5,
            "intent_score": 40.0,
        }
        for user_id in user_ids
    }


def people(count: int) -> list[Entry]:
    """People of whom nothing is asked but the persona: private addresses, without a name."""
    return [Entry(f"box{number}@gmail.com", f"lead-{number}") for number in range(count)]


@dataclass
class Office:
    """A workspace, the fakes that it asks, and its clock."""

    workspace: Workspace
    providers: Providers
    now: datetime = BEGIN
    runs: list[Worked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.enrichment = self.workspace.enrichment
        self.enrichment.clock = lambda: self.now
        self.enrichment._behaviors = unsure  # type: ignore[method-assign]

    @property
    def state(self) -> State:
        return self.enrichment.state

    def rule(self, **changes: Any) -> None:
        """Work by other rules."""
        definitions = self.enrichment.definitions
        rules = definitions.enrichment.model_copy(update=changes)
        self.enrichment.definitions = definitions.model_copy(update={"enrichment": rules})

    def put(self, entries: list[Entry], *, for_batch: bool = True) -> list[str]:
        return list(self.enrichment.put(entries, for_batch=for_batch).user_ids)

    def work(self, most: int | None = None, *, later: timedelta = timedelta(seconds=1)) -> Worked:
        self.now += later
        self.runs.append(self.enrichment.work(most))
        return self.runs[-1]

    def end(self, *, later: timedelta = HOURS) -> Worked:
        """Let the batches end at OpenAI, and work."""
        self.providers.batches.advance()
        return self.work(later=later)

    def rows(self, query: str, **bound: object) -> list[dict[str, Any]]:
        with self.state.reading() as transaction:
            return transaction.rows(query, **bound)

    def statuses(self) -> Counter[str]:
        return Counter(row["status"] for row in self.rows("select status from user_identity"))

    def batches(self) -> list[str]:
        query = "select status from enrichment_batch order by created_at, batch_key"
        return [row["status"] for row in self.rows(query)]

    def calls(self) -> list[dict[str, Any]]:
        return self.rows("select * from enrichment_call order by called_at, call_id")

    def outcomes(self) -> Counter[str]:
        return Counter(call["status"] for call in self.calls() if call["batch_key"])

    def sources(self) -> Counter[str]:
        query = "select source from user_persona where superseded_at is null"
        return Counter(row["source"] for row in self.rows(query))

    def asked_in_batches(self) -> int:
        return len(self.providers.asked("openai.lines"))

    def asked_alone(self) -> int:
        return len(self.providers.asked("openai"))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One workspace for all tests, each of which begins with an empty queue."""
    with Providers() as nobody, desk(tmp_path_factory.mktemp("office"), nobody) as opened:
        # No test here cuts the power, and waiting for the disk is most of the time.
        sa.event.listen(opened.enrichment.state._engine, "connect", without_waiting)
        yield opened


def without_waiting(connection: Any, _record: object) -> None:
    connection.execute("pragma synchronous = off")


@pytest.fixture
def office(workspace: Workspace, providers: Providers) -> Office:
    definitions = workspace.definitions
    prices = {
        name: price.model_copy(update={"url": providers.urls[name]})
        for name, price in definitions.enrichment.providers
    }
    asked = definitions.enrichment.providers.model_copy(update=prices)
    rules = definitions.enrichment.model_copy(update={"providers": asked})
    workspace.enrichment.definitions = definitions.model_copy(update={"enrichment": rules})
    with workspace.enrichment.state.writing() as transaction:
        for table in TABLES:
            transaction.change(f"delete from {table}")
    return Office(workspace, providers)


TABLES = (
    *("user_identity", "user_persona", "inbox", "company_profile"),
    *("enrichment_call", "enrichment_step", "enrichment_day", "enrichment_batch"),
    "enrichment_provider",
)


def books_agree(office: Office, *, held: int = 0) -> None:
    """Each call is settled for what was billed, or one of the `held` ones; days are their sums."""
    calls = office.calls()
    billed = {charge.call_id: charge.cost_micros for charge in office.providers.bill("openai")}
    openai = [call for call in calls if call["provider"] == "openai"]
    settled = {c["call_id"]: c["cost_micros"] for c in openai if c["cost_micros"] is not None}
    open_calls = [call for call in calls if call["cost_micros"] is None]

    assert len(open_calls) == held
    assert not [call for call in calls if call["status"] == "reserved" and not held]
    for call_id, cost in settled.items():
        assert cost == billed.get(call_id, 0)
    assert set(billed) <= set(settled) | {call["call_id"] for call in open_calls}
    days: Counter[str] = Counter()
    for call in calls:
        cost = call["most_micros"] if call["cost_micros"] is None else call["cost_micros"]
        assert 0 <= cost <= call["most_micros"]
        days[str(call["called_at"])[:10]] += cost
    committed = {row["day"]: row["committed_micros"] for row in office.rows(DAYS_OF_LEDGER)}
    assert committed == {day: micros for day, micros in days.items() if micros}


DAYS_OF_LEDGER = "select day, committed_micros from enrichment_day where committed_micros <> 0"


# --- The way through ----------------------------------------------------------------------------


def test_leads_wait_for_one_batch_and_are_completed_at_half_the_price(office: Office):
    user_ids = office.put(leads(5, companies=2))

    sent = office.work()

    assert (sent.waiting_for_batch, sent.completed) == (5, 0)
    assert sent.batches == batches.Batched(sent=5, under_way=5)
    assert office.statuses() == {"waiting": 5}
    assert office.batches() == ["submitted"]
    assert addresses(office) == 5
    assert not office.sources()
    books_agree(office, held=5)

    taken = office.end()

    assert taken.batches == batches.Batched(completed=5)
    assert office.statuses() == {"completed": 5}
    assert office.batches() == ["completed"]
    assert addresses(office) == 0
    assert office.sources() == {"ai_enrichment": 5}
    assert (office.asked_in_batches(), office.asked_alone()) == (5, 0)
    assert all(charge.is_batch for charge in office.providers.bill("openai"))
    events = office.rows("select body from inbox")
    told = [json.loads(row["body"]) for row in events]
    assert {event["event_name"] for event in told} == {"identity_enriched"}
    assert {event["distinct_id_hash"] for event in told} == set(user_ids)
    books_agree(office)


def addresses(office: Office) -> int:
    query = "select count(*) as kept from user_identity where email_encrypted is not null"
    return int(office.rows(query)[0]["kept"])


def test_a_batch_costs_half_of_what_the_same_calls_cost_alone(office: Office):
    office.put(people(3))
    office.work()
    office.end()
    in_batch = office.calls()

    office.put([Entry(f"alone{n}@gmail.com", f"alone-{n}") for n in range(3)], for_batch=False)
    office.work()

    alone = [call for call in office.calls() if call["batch_key"] is None]
    assert len(in_batch) == len(alone) == 3
    for half, full in zip(in_batch, alone, strict=True):
        assert (half["input_tokens"], half["output_tokens"]) == (
            full["input_tokens"],
            full["output_tokens"],
        )
    price = office.enrichment.rules.providers.openai
    charges = [charge for charge in office.providers.bill("openai") if charge.is_batch]
    for call, charge in zip(
        in_batch, sorted(charges, key=lambda each: order(in_batch, each)), strict=True
    ):
        given = call["input_tokens"] * price.input_usd + call["output_tokens"] * price.output_usd
        assert call["cost_micros"] == charge.cost_micros <= given / 2 + 1
    books_agree(office)


def order(calls: list[dict[str, Any]], charge: Any) -> int:
    return [call["call_id"] for call in calls].index(charge.call_id)


def test_a_batch_that_has_not_ended_is_looked_at_again(office: Office):
    office.providers.batches.is_automatic = False
    office.put(people(2))
    office.work()

    for _ in range(3):
        looked = office.work(later=5 * MINUTES)
        assert looked.batches == batches.Batched(under_way=2)
        books_agree(office, held=2)

    assert office.statuses() == {"waiting": 2}
    assert len(office.providers.batches.batches) == 1
    assert office.end().batches == batches.Batched(completed=2)


def test_what_a_batch_completes_takes_no_room_from_the_leads_of_a_run(office: Office):
    office.put(people(6))
    office.work()
    office.put([Entry(f"new{n}@gmail.com", f"new-{n}") for n in range(3)], for_batch=False)
    office.providers.batches.advance()

    worked = office.work(most=3)

    assert (worked.completed, worked.batches and worked.batches.completed) == (3, 6)


def test_waiting_is_not_a_try(office: Office):
    office.put(people(2))
    for _ in range(4):
        office.work(later=20 * MINUTES)
    office.end()

    assert [row["tries"] for row in office.rows("select tries from user_identity")] == [1, 1]


def test_a_lead_whose_rules_are_sure_goes_into_no_batch(office: Office):
    office.enrichment._behaviors = lambda user_ids: {  # type: ignore[method-assign]
        user_id: row | {"persona_confidence": 0.9} for user_id, row in unsure(user_ids).items()
    }
    office.put(people(2))

    worked = office.work()

    assert (worked.completed, worked.waiting_for_batch) == (2, 0)
    assert office.sources() == {"behavior_analysis": 2}
    assert not office.calls()
    assert not office.batches()


def test_without_a_key_nobody_waits_for_a_batch_any_more(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    office.rule(budget=office.enrichment.rules.budget.model_copy(update={"daily_usd": 0.0}))
    office.put(people(2))
    office.work()
    assert office.statuses() == {"waiting": 2}

    settings = office.enrichment.settings.model_copy(update={"openai_api_key": None})
    monkeypatch.setattr(office.enrichment, "settings", settings)
    office.work()

    assert office.statuses() == {"completed": 2}
    assert office.sources() == {"behavior_analysis": 2}


def test_without_a_key_a_batch_that_was_sent_is_waited_for_some_days(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    office.put(people(2))
    office.work()
    settings = office.enrichment.settings.model_copy(update={"openai_api_key": None})
    monkeypatch.setattr(office.enrichment, "settings", settings)

    office.work(later=2 * DAYS)
    assert office.statuses() == {"waiting": 2}
    office.work(later=2 * DAYS)

    assert office.statuses() == {"completed": 2}
    assert office.outcomes() == {"lost": 2}


def batch_calls(office: Office, most: int) -> None:
    providers = office.enrichment.rules.providers
    openai = providers.openai.model_copy(update={"batch_calls": most})
    office.rule(providers=providers.model_copy(update={"openai": openai}))


def test_batches_have_no_more_lines_altogether_than_a_plan_allows(office: Office):
    office.providers.batches.is_automatic = False
    batch_calls(office, 3)
    office.put(people(2))
    assert office.work().batches == batches.Batched(sent=2, under_way=2)
    office.put([Entry(f"late{n}@gmail.com", f"late-{n}") for n in range(3)])

    assert office.work().batches == batches.Batched(sent=1, under_way=3)
    full = "3 calls of batches are under way; no more may be."
    assert office.work().batches == batches.Batched(under_way=3, error=full)
    assert len(office.batches()) == 2

    batch_calls(office, 2)
    assert office.work().batches == batches.Batched(under_way=3, error=full)
    assert office.end().batches == batches.Batched(completed=3, sent=2, under_way=2)
    assert office.end().batches == batches.Batched(completed=2)
    books_agree(office)


def test_a_full_plan_is_no_matter_where_nobody_waits(office: Office):
    office.providers.batches.is_automatic = False
    batch_calls(office, 2)
    office.put(people(2))

    assert office.work().batches == batches.Batched(sent=2, under_way=2)
    assert office.work().batches == batches.Batched(under_way=2)


def test_the_files_of_a_batch_are_deleted_when_it_is_settled(office: Office):
    office.providers.batches.steps = ["in_progress", "expired"]
    office.put(people(4))
    office.work()
    assert len(office.providers.batches.files) == 1
    said = b"".join(office.providers.batches.files.values())
    assert not any(secret in said for secret in (b"gmail", b"box", b"lead-"))

    office.end()

    assert office.batches() == ["expired"]
    assert not office.providers.batches.files


def test_files_that_can_not_be_deleted_stop_nothing(office: Office):
    def fault(call: Any) -> str:
        return "server_error" if call.method == "DELETE" else "ok"

    office.put(people(2))
    office.work()
    office.providers.faults["openai.files"] = fault

    assert office.end().batches == batches.Batched(completed=2)
    assert office.providers.batches.files


# --- Batches that end in another way ------------------------------------------------------------


def test_of_a_batch_that_expired_half_is_done_and_the_rest_is_asked_alone(office: Office):
    office.providers.batches.steps = ["in_progress", "expired"]
    office.put(people(4))
    office.work()

    taken = office.end(later=DAYS)

    assert (taken.completed, taken.batches and taken.batches.completed) == (2, 2)
    assert office.statuses() == {"completed": 4}
    assert office.outcomes() == {"ok": 2, "unavailable": 2}
    assert (office.asked_in_batches(), office.asked_alone()) == (2, 2)
    assert office.sources() == {"ai_enrichment": 4}
    assert len(office.providers.batches.batches) == 1
    books_agree(office)


TOO_MANY = {"code": "token_limit_exceeded", "message": "box0@gmail.com", "line": None}


def test_the_leads_of_a_batch_that_fails_its_validation_wait_for_the_next_one(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    office.put(people(2))
    with monkeypatch.context() as patch:
        patch.setattr(office.providers.batches, "_errors", lambda number: [TOO_MANY])
        office.work()
        failed = office.end(later=5 * MINUTES)

    assert failed.batches
    assert str(failed.batches.error).split("; ")[0] == (
        "OpenAI did not take the batch (token_limit_exceeded)."
    )
    assert "The last batch came to nothing" in str(failed.batches.error)
    assert (failed.batches.sent, failed.batches.under_way) == (0, 0)
    assert office.batches() == ["failed"]
    assert office.statuses() == {"waiting": 2}
    assert (office.asked_in_batches(), office.asked_alone()) == (0, 0)
    assert not office.providers.batches.files
    books_agree(office)

    assert office.work(later=HOURS).batches == batches.Batched(sent=2, under_way=2)
    assert office.end().batches == batches.Batched(completed=2)
    assert office.asked_alone() == 0
    books_agree(office)


def test_leads_do_not_wait_for_ever_for_a_batch_that_passes_its_validation(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(office.providers.batches, "_errors", lambda number: [TOO_MANY])
    office.put(people(2))

    for _ in range(8):
        office.end(later=61 * MINUTES)

    assert office.batches() == ["failed"] * 3
    assert office.statuses() == {"completed": 2}
    assert (office.asked_in_batches(), office.asked_alone()) == (0, 2)
    books_agree(office)


def test_a_batch_that_failed_when_some_of_it_was_done_is_taken_in_line_by_line(office: Office):
    office.put(people(3))
    office.work()
    output(office, lambda lines: lines[:2])
    [batch] = office.providers.batches.batches.values()
    batch["status"] = "failed"

    assert office.work().batches
    assert office.batches() == ["failed"]
    assert office.statuses() == {"completed": 3}
    assert office.outcomes() == {"ok": 2, "unavailable": 1}
    assert office.asked_alone() == 1


def test_a_batch_that_somebody_cancelled_gives_what_was_done(office: Office):
    office.providers.batches.is_automatic = False
    office.put(people(4))
    office.work()
    [number] = office.providers.batches.batches
    office.providers.batches.look(number)
    office.providers.batches._step(office.providers.batches.batches[number])
    office.providers.batches.cancel(number)

    office.end()

    assert office.batches() == ["cancelled"]
    assert office.statuses() == {"completed": 4}
    assert (office.asked_in_batches(), office.asked_alone()) == (2, 2)
    books_agree(office)


ENDS = {
    "ok": "ok",
    "refusal": "refused",
    "cut_off": "cut_off",
    "bad_request": "rejected",
    "insufficient_quota": "out_of_quota",
    "invalid_json": "invalid",
    "unknown_slug": "invalid",
    "rate_limited": "rate_limited",
    "server_error": "unavailable",
}
"""How a line of a batch ends, by what goes wrong with it; the last four are asked again, alone."""


def test_each_way_that_a_line_can_end(office: Office):
    office.providers.faults["openai.lines"] = list(ENDS)
    office.put(people(len(ENDS)))
    office.work()
    office.end()

    assert office.outcomes() == Counter(ENDS.values())
    assert office.statuses() == {"completed": 9}
    assert office.asked_alone() == 4
    assert office.sources() == {"ai_enrichment": 5, "behavior_analysis": 4}
    partial = office.rows("select error from user_identity where is_partial = 1")
    assert len(partial) == 4
    assert all("OpenAI" in row["error"] for row in partial)
    assert addresses(office) == 0
    assert len(office.providers.batches.batches) == 1
    books_agree(office)


def output(office: Office, change: Callable[[list[str]], list[str]]) -> None:
    """Let the batch end, and change the lines of its answers."""
    office.providers.batches.advance()
    [batch] = office.providers.batches.batches.values()
    files = office.providers.batches.files
    lines = files[batch["output_file_id"]].decode().splitlines()
    files[batch["output_file_id"]] = "\n".join(change(lines)).encode()


def test_missing_double_and_unknown_lines_are_sorted_out(office: Office):
    def change(lines: list[str]) -> list[str]:
        stranger = json.loads(lines[1]) | {"custom_id": "00000000-0000-0000-0000-000000000000"}
        other = json.loads(lines[2])
        other["response"] = {"status_code": 400, "body": {}}
        return [json.dumps(stranger), *lines[1:], json.dumps(other), "", '{"custom_id": 7}']

    office.put(people(3))
    office.work()
    output(office, change)

    office.work()

    assert office.outcomes() == {"ok": 2, "unavailable": 1}
    assert office.statuses() == {"completed": 3}
    assert office.asked_alone() == 1
    [undone] = [call for call in office.calls() if call["status"] == "unavailable"]
    assert undone["cost_micros"] == 0


def test_lines_that_nobody_can_read_stay_held_until_the_bill_comes(office: Office):
    office.put(people(3))
    office.work()
    output(office, lambda lines: [lines[0], lines[1][:40], "[]"])

    office.work()

    assert office.outcomes() == {"ok": 1, "invalid": 2}
    assert office.statuses() == {"completed": 3}
    assert office.batches() == ["completed"]
    books_agree(office, held=2)
    assert office.providers.batches.files, "they are needed to see what went wrong"

    bill = {charge.call_id: charge.cost_micros for charge in office.providers.bill("openai")}
    office.now += MINUTES
    settled = office.enrichment.settle("openai", bill)

    assert (settled["billed"], settled["not_billed"]) == (2, 0)
    assert office.outcomes() == {"ok": 1, "invalid": 2}
    books_agree(office)


def test_a_lead_whose_batch_has_an_unknown_cost_can_wait_for_another(office: Office):
    """A refusal that doesn't say what it cost."""
    office.providers.faults["openai.lines"] = ["refusal"]

    def change(lines: list[str]) -> list[str]:
        line = json.loads(lines[0])
        del line["response"]["body"]["usage"]
        return [json.dumps(line)]

    office.put(people(1))
    office.work()
    output(office, change)
    office.work()
    assert office.outcomes() == {"refused": 1}

    assert office.enrichment.retry(partial=True) == 1
    office.work()

    assert office.statuses() == {"waiting": 1}
    assert len(office.providers.batches.batches) == 2
    office.end()
    assert office.outcomes() == {"refused": 1, "ok": 1}
    assert office.sources() == {"ai_enrichment": 1}
    books_agree(office, held=1)


def test_a_look_that_fails_is_repeated_and_does_not_go_unsaid(office: Office):
    faults = ["server_error", "cut_midway", "malformed_json", "bad_key"]
    office.put(people(2))
    office.work()
    office.providers.batches.advance()
    office.providers.faults["openai.batches"] = faults

    for _ in faults:
        failed = office.work()
        assert failed.batches
        assert (failed.batches.under_way, failed.batches.completed) == (2, 0)
        assert failed.batches.error
    assert office.statuses() == {"waiting": 2}
    office.providers.faults["openai.files"] = ["server_error"]
    assert office.work().batches == batches.Batched(
        under_way=2, error="OpenAI: the service doesn't work just now (500, server_error)."
    )
    assert office.work().batches == batches.Batched(completed=2)
    books_agree(office)


def test_a_batch_that_is_gone_is_given_up_after_days_and_its_calls_stay_held(office: Office):
    office.put(people(2))
    office.work()
    office.providers.batches.batches.clear()

    for _ in range(3):
        assert office.work(later=DAYS).batches
        assert office.statuses() == {"waiting": 2}
    given_up = office.work(later=HOURS)

    assert given_up.batches
    assert "did not end within 3 days" in str(given_up.batches.error)
    assert office.batches() == ["lost"]
    assert office.statuses() == {"completed": 2}
    assert office.outcomes() == {"lost": 2}
    books_agree(office, held=2)
    office.enrichment.settle("openai", {})
    assert not [call for call in office.calls() if call["status"] == "reserved"]


@pytest.mark.parametrize("fault", ["bad_key", "forbidden", "insufficient_quota", "bad_request"])
def test_a_batch_that_nobody_may_look_at_is_given_up_after_days(office: Office, fault: str):
    office.put(people(2))
    office.work()
    office.providers.batches.advance()
    office.providers.faults["openai.batches"] = fault

    office.work(later=3 * DAYS)
    assert office.statuses() == {"waiting": 2}
    given_up = office.work(later=HOURS)

    assert given_up.batches
    assert "The batch did not end within 3 days." in str(given_up.batches.error)
    assert office.batches() == ["lost"]
    assert office.outcomes() == {"lost": 2}
    assert office.statuses() == {"completed": 2}
    assert office.asked_alone() == 2
    books_agree(office, held=2)


def test_a_batch_that_does_not_end_is_given_up_after_days(office: Office):
    office.providers.batches.is_automatic = False
    office.put(people(2))
    office.work()

    office.work(later=3 * DAYS)
    assert office.statuses() == {"waiting": 2}
    office.work(later=HOURS)

    assert office.batches() == ["lost"]
    assert office.statuses() == {"completed": 2}
    books_agree(office, held=2)


@pytest.mark.parametrize("fault", ["bad_key", "server_error"])
def test_a_batch_that_may_have_been_made_is_given_up_if_nobody_can_look_for_it(
    office: Office, fault: str
):
    office.providers.faults["openai.batches"] = ["cut_after", *[fault] * 20]
    office.put(people(2))
    office.work()
    assert office.batches() == ["creating"]

    office.work(later=3 * DAYS)
    office.work(later=HOURS)
    assert office.batches() == ["lost" if fault == "bad_key" else "creating"]
    office.work(later=7 * DAYS)

    assert office.batches() == ["lost"]
    assert office.statuses() == {"completed": 2}
    books_agree(office, held=2)


def test_a_service_that_does_not_answer_about_a_batch_is_waited_for_longer(office: Office):
    office.put(people(2))
    office.work()
    office.providers.faults["openai.batches"] = "server_error"

    office.work(later=10 * DAYS)
    assert office.statuses() == {"waiting": 2}
    office.work(later=HOURS)

    assert office.batches() == ["lost"]
    assert office.statuses() == {"completed": 2}
    books_agree(office, held=2)


def test_without_a_key_overdue_batches_are_given_up(
    any_settings: Settings, tmp_path: Path, providers: Providers
):
    with desk(tmp_path / "office", providers, settings=any_settings) as workspace:
        office = Office(workspace, providers)
        providers.batches.is_automatic = False
        providers.faults["openai.batches"] = ["ok", "ok", "cut_before"]
        office.put(people(2))
        office.work()
        office.put([Entry(f"late{n}@gmail.com", f"late-{n}") for n in range(3)])
        office.work()
        assert office.batches() == ["submitted", "creating"]

        assert batches.give_up_overdue(office.state, now=BEGIN + 3 * DAYS) == 0
        assert office.statuses() == {"waiting": 5}
        assert batches.give_up_overdue(office.state, now=BEGIN + 3 * DAYS + MINUTES) == 2

        assert office.batches() == ["lost", "lost"]
        assert office.statuses() == {"pending": 5}
        assert office.outcomes() == {"lost": 5}
        books_agree(office, held=5)
        assert batches.give_up_overdue(office.state, now=BEGIN + 9 * DAYS) == 0
        office.work()
        assert office.statuses() == {"completed": 5}
        assert office.asked_alone() == 5
        books_agree(office, held=5)


def test_a_batch_that_can_not_be_looked_at_for_days_is_taken_in_all_the_same(office: Office):
    office.put(people(2))
    office.work()
    office.providers.faults["openai.batches"] = ["bad_key", "server_error", "cut_before"]
    for _ in range(3):
        office.work(later=2 * DAYS)
    assert office.statuses() == {"waiting": 2}

    assert office.end().batches == batches.Batched(completed=2)
    books_agree(office)


# --- Batches that could not be made -------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "fault"),
    [
        ("openai.files", "server_error"),
        ("openai.files", "cut_after"),
        ("openai.batches", "bad_request"),
        ("openai.batches", "rate_limited"),
    ],
)
def test_a_batch_that_was_not_made_costs_nothing_and_the_next_one_goes(
    office: Office, endpoint: str, fault: str
):
    office.providers.faults[endpoint] = [fault]
    office.put(people(2))

    failed = office.work()

    assert failed.batches
    assert (failed.batches.sent, failed.batches.under_way) == (0, 0)
    assert failed.batches.error
    assert office.batches() == ["failed"]
    assert office.statuses() == {"waiting": 2}
    books_agree(office)

    soon = office.work(later=5 * MINUTES)
    assert soon.batches
    assert "The last batch came to nothing; the next goes at 10:00" in str(soon.batches.error)
    assert len(office.batches()) == 1
    assert office.work(later=HOURS).batches == batches.Batched(sent=2, under_way=2)
    assert office.end().batches == batches.Batched(completed=2)
    assert office.asked_in_batches() == 2
    books_agree(office)


@pytest.mark.parametrize("fault", ["bad_key", "server_error"])
def test_leads_do_not_wait_for_ever_for_a_batch_that_is_never_made(office: Office, fault: str):
    office.providers.faults["openai.batches"] = lambda call: fault if call.body else "ok"
    office.put(people(2))

    for _ in range(8):
        office.work(later=61 * MINUTES)

    assert office.statuses() == {"completed": 2}
    assert office.batches() == ["failed"] * 3
    assert office.asked_alone() == 2
    assert not office.providers.batches.batches
    books_agree(office)


@pytest.mark.parametrize("fault", ["cut_after", "html"])
def test_a_batch_whose_making_was_lost_is_found_by_its_key(
    office: Office, fault: str, monkeypatch: pytest.MonkeyPatch
):
    if fault == "html":  # a gateway's page, after OpenAI has made the batch
        create = office.providers.batches.create

        def made_behind_a_gateway(request: Any) -> Any:
            answer = create(request)
            answer.status, answer.body = 504, b"<html>"
            return answer

        monkeypatch.setattr(office.providers.batches, "create", made_behind_a_gateway)
    else:
        office.providers.faults["openai.batches"] = [Fault(fault)]
    office.put(people(2))

    lost = office.work()

    assert lost.batches
    assert (lost.batches.sent, lost.batches.under_way) == (0, 2)
    assert lost.batches.error
    assert office.batches() == ["creating"]
    assert office.work(later=9 * MINUTES).batches == batches.Batched(under_way=2)
    assert office.batches() == ["creating"]
    assert len(office.providers.batches.batches) == 1
    books_agree(office, held=2)

    office.providers.batches.is_automatic = False
    assert office.work(later=2 * MINUTES).batches == batches.Batched(under_way=2)
    assert office.batches() == ["submitted"]
    assert office.end().batches == batches.Batched(completed=2)
    assert len(office.providers.batches.batches) == 1
    assert office.asked_in_batches() == 2
    books_agree(office)


@pytest.mark.parametrize("fault", ["cut_before", "server_error"])
def test_a_batch_that_may_have_been_made_and_was_not_goes_again(office: Office, fault: str):
    office.providers.faults["openai.batches"] = [fault, "server_error"]
    office.put(people(2))
    office.work()
    assert office.batches() == ["creating"]

    unseen = office.work(later=11 * MINUTES)
    assert unseen.batches
    assert unseen.batches.error
    assert office.batches() == ["creating"], "it couldn't be looked for"

    office.work()
    assert office.batches() == ["failed"]
    assert office.statuses() == {"waiting": 2}
    assert {call["cost_micros"] for call in office.calls()} == {0}

    assert office.work(later=HOURS).batches == batches.Batched(sent=2, under_way=2)
    assert office.end().batches == batches.Batched(completed=2)
    assert office.asked_in_batches() == 2
    books_agree(office)


def test_a_batch_that_was_let_go_meanwhile_stays_so(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    """The sender slept for so long that another worker found no batch, and let the calls go."""
    submit = PersonaBatch.submit

    async def overslept(self: PersonaBatch, *args: Any) -> Any:
        reply = await submit(self, *args)
        with office.state.writing() as transaction:
            transaction.change("update enrichment_batch set status = 'failed'")
        return reply

    office.put(people(2))
    with monkeypatch.context() as patch:
        patch.setattr(PersonaBatch, "submit", overslept)
        late = office.work()

    assert late.batches
    assert late.batches.sent == 0
    assert "sent so late" in str(late.batches.error)
    assert office.batches() == ["failed"]
    assert [row["provider_batch_id"] for row in office.rows("select * from enrichment_batch")] == [
        None
    ]


def test_a_batch_that_was_sent_meanwhile_is_not_let_go(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    """It was made just after it was looked for."""
    find = PersonaBatch.find

    async def made_meanwhile(self: PersonaBatch, key: str) -> Any:
        reply = await find(self, key)
        with office.state.writing() as transaction:
            sent = "update enrichment_batch set status = 'submitted', provider_batch_id = 'batch_1'"
            transaction.change(sent)
        return reply

    office.providers.faults["openai.batches"] = ["cut_before"]
    office.put(people(2))
    office.work()
    with monkeypatch.context() as patch:
        patch.setattr(PersonaBatch, "find", made_meanwhile)
        office.work(later=11 * MINUTES)

    assert office.batches() == ["submitted"]
    assert office.outcomes() == {"reserved": 2}
    books_agree(office, held=2)


# --- Workers that die, and several of them ------------------------------------------------------


def killed(patch: pytest.MonkeyPatch, where: object, name: str, *, before: bool) -> None:
    """Let the worker be killed before or after something that it does."""
    original = getattr(where, name)

    async def dying(*args: Any, **kwargs: Any) -> None:
        if not before:
            await original(*args, **kwargs)
        raise Killed

    patch.setattr(where, name, dying)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_worker_killed_around_the_sending_of_a_batch(
    office: Office, before: bool, monkeypatch: pytest.MonkeyPatch
):
    office.put(people(3))
    with monkeypatch.context() as patch:
        killed(patch, PersonaBatch, "submit", before=before)
        with pytest.raises(Killed):
            office.work()
    assert office.batches() == ["creating"]
    assert office.statuses() == {"waiting": 3}
    books_agree(office, held=3)

    office.work(later=11 * MINUTES)
    office.work(later=HOURS)
    office.end()

    assert office.batches() == (["failed", "completed"] if before else ["completed"])
    assert office.statuses() == {"completed": 3}
    assert office.asked_in_batches() == 3
    assert office.asked_alone() == 0
    books_agree(office)


@pytest.mark.parametrize(
    ("where", "fault"),
    [("_one", "ok"), ("_complete", "ok"), ("_complete", "refusal"), ("forget", "ok")],
)
def test_a_worker_killed_while_it_takes_a_batch_in(
    office: Office, where: str, fault: str, monkeypatch: pytest.MonkeyPatch
):
    office.providers.faults["openai.lines"] = [fault]
    office.put(people(3))
    office.work()
    with monkeypatch.context() as patch:
        owner = PersonaBatch if where == "forget" else Batches
        killed(patch, owner, where, before=where != "_one")
        with pytest.raises(Killed):
            office.end()
    assert office.batches() == ["completed" if where == "forget" else "submitted"]

    office.work(later=2 * MINUTES)
    office.end()
    office.end()

    assert office.statuses() == {"completed": 3}
    assert office.outcomes()["ok"] >= 2
    assert not [call for call in office.calls() if call["status"] == "reserved"]
    # Only a refusal is asked again, if its lead could not be ended.
    assert office.asked_in_batches() - 3 <= (fault == "refusal" and where == "_complete")
    assert len(office.rows("select 1 from inbox")) == 3
    books_agree(office)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_worker_killed_at_every_transaction_in_turn(
    office: Office, before: bool, monkeypatch: pytest.MonkeyPatch
):
    left = [0]
    writing = State.writing

    @contextmanager
    def mortal(state: State) -> Iterator[Any]:
        left[0] -= 1
        if before and left[0] == 0:
            raise Killed
        with writing(state) as transaction:
            yield transaction
        if left[0] == 0:
            raise Killed

    office.rule(tries=99)
    office.put(people(2))
    deaths = 0
    with monkeypatch.context() as patch:
        patch.setattr(State, "writing", mortal)
        while deaths < 60 and office.statuses() != {"completed": 2}:
            left[0] = deaths % 8 + 1
            office.providers.batches.advance()
            try:
                office.work(later=70 * MINUTES)
            except Killed:
                deaths += 1
            else:
                left[0] = 0
                break
    office.work(later=70 * MINUTES)
    office.end()
    office.end()

    assert deaths >= 5
    assert office.statuses() == {"completed": 2}
    assert office.sources() == {"ai_enrichment": 2}
    assert (office.asked_in_batches(), office.asked_alone()) == (2, 0)
    assert len(office.rows("select 1 from inbox")) == 2
    books_agree(office)


@contextmanager
def two_offices(folder: Path, providers: Providers, settings: Settings) -> Iterator[list[Office]]:
    """Two workspaces on the same folder."""
    with (
        desk(folder, providers, settings=settings) as one,
        desk(folder, providers, settings=settings) as other,
    ):
        yield [Office(one, providers), Office(other, providers)]


def at_once(*workers: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(workers)) as threads:
        return [each.result(60) for each in [threads.submit(worker) for worker in workers]]


def test_two_workers_send_and_take_in_at_once(
    any_settings: Settings,
    tmp_path: Path,
    providers: Providers,
    monkeypatch: pytest.MonkeyPatch,
):
    together = threading.Barrier(2, timeout=30)
    requests = Batches._requests

    def requests_together(self: Batches, waiting: Any) -> Any:
        made = requests(self, waiting)
        together.wait()
        return made

    def both_have_read(service: str, call: Any) -> None:
        if call.path.endswith("/content"):
            together.wait()

    with two_offices(tmp_path / "office", providers, any_settings) as offices:
        one, other = offices
        one.put(people(6))
        one.enrichment.work(None)  # the first batch
        one.put([Entry(f"late{n}@gmail.com", f"late-{n}") for n in range(4)])
        with monkeypatch.context() as patch:
            patch.setattr(Batches, "send", nothing)
            one.work()
        assert one.statuses() == {"waiting": 10}

        providers.batches.advance()
        providers.before_answer = both_have_read
        with monkeypatch.context() as patch:
            patch.setattr(Batches, "_requests", requests_together)
            at_once(one.work, other.work)
        providers.before_answer = None

        assert one.statuses() == {"completed": 6, "waiting": 4}
        assert one.batches() == ["completed", "submitted"]
        assert sorted(each.runs[-1].batches.sent for each in offices) == [0, 4]  # type: ignore[union-attr]
        completed = [each.runs[-1].batches.completed for each in offices]  # type: ignore[union-attr]
        assert sum(completed) == 6
        one.end()
        assert one.statuses() == {"completed": 10}
        assert (one.asked_in_batches(), one.asked_alone()) == (10, 0)
        assert len(providers.batches.batches) == 2
        assert len(one.rows("select 1 as n from inbox")) == 10
        books_agree(one)


def test_a_batch_that_is_lost_and_one_that_is_never_made_on_postgresql(
    postgres_url: str, tmp_path: Path, providers: Providers
):
    settings = load_settings(catalog_url=postgres_url, state_url=postgres_url)
    with desk(tmp_path / "office", providers, settings=settings) as workspace:
        office = Office(workspace, providers)
        office.rule(tries=2)
        providers.faults["openai.batches"] = ["cut_before", "ok", "bad_request"]
        office.put(people(2))

        office.work()
        assert office.batches() == ["creating"]
        office.work(later=11 * MINUTES)
        assert office.batches() == ["failed"]
        assert office.statuses() == {"waiting": 2}
        office.work(later=HOURS)
        office.work(later=HOURS)

        assert office.batches() == ["failed", "failed"]
        assert office.statuses() == {"completed": 2}
        assert office.asked_alone() == 2
        books_agree(office)


async def nothing(batches: Batches) -> None:
    """Send no batch."""


# --- What happens to leads meanwhile ------------------------------------------------------------


def test_a_cap_lets_some_leads_into_a_batch_and_the_others_go_the_next_day(office: Office):
    budget = office.enrichment.rules.budget
    office.rule(budget=budget.model_copy(update={"daily_usd": 0.0032}))
    office.put(people(5))

    sent = office.work()

    assert sent.batches
    assert sent.batches.sent == 2
    assert "The daily budget of $0.00" in str(sent.batches.error)
    assert office.statuses() == {"waiting": 5}
    office.providers.batches.is_automatic = False
    assert office.work().batches.sent == 0  # type: ignore[union-attr]
    office.end()
    for _ in range(3):
        office.work(later=DAYS)
        office.end()

    assert office.statuses() == {"completed": 5}
    assert (office.asked_in_batches(), office.asked_alone()) == (5, 0)
    books_agree(office)


def test_of_a_lead_cancelled_in_the_batch_the_cost_is_settled_and_nothing_is_written(
    office: Office,
):
    [user_id, _] = office.put(people(2))
    office.work()
    assert office.enrichment.cancel(user_id)
    assert addresses(office) == 1

    office.end()

    assert office.statuses() == {"cancelled": 1, "completed": 1}
    assert office.outcomes() == {"ok": 2}
    assert office.sources() == {"ai_enrichment": 1}
    assert len(office.rows("select 1 from inbox")) == 1
    assert not office.rows(STEPS_OF, user_id=user_id)
    books_agree(office)


STEPS_OF = """
select s.step
from enrichment_step as s
join user_identity as u on u.lead_id = s.lead_id
where u.user_id = :user_id and s.step = 'persona'
"""


def test_a_person_renamed_while_the_lead_waits_is_enriched_under_the_new_id(office: Office):
    [old, _] = office.put(people(2))
    office.work()
    new = "11111111-2222-3333-4444-555555555555"
    office.state.move_people([(old, new)])

    office.end()

    assert office.statuses() == {"completed": 2}
    assert office.enrichment.lead(new)["status"] == "completed"
    assert office.state.persona_of(new, office.now + MINUTES)
    assert office.state.persona_of(old, office.now + MINUTES) is None
    assert {call["user_id"] for call in office.calls()} & {old, new} == {new}
    books_agree(office)


def test_a_person_renamed_while_the_answer_is_taken_in_is_enriched_under_the_new_id(
    office: Office, monkeypatch: pytest.MonkeyPatch
):
    [old] = office.put(people(1))
    office.work()
    new = "11111111-2222-3333-4444-555555555555"
    complete = finishing.complete

    def renamed_just_before(*args: Any, **kwargs: Any) -> bool:
        transaction = args[1]
        for table in ("user_identity", "enrichment_call"):
            change = f"update {table} set user_id = :new where user_id = :old"
            transaction.change(change, new=new, old=old)
        return complete(*args, **kwargs)

    monkeypatch.setattr(finishing, "complete", renamed_just_before)
    office.end()

    assert office.state.persona_of(new, office.now + MINUTES)
    assert office.state.persona_of(old, office.now + MINUTES) is None
    [told] = office.rows("select body from inbox")
    assert json.loads(told["body"])["distinct_id_hash"] == new


def test_of_two_ids_of_one_person_that_both_wait_one_is_completed_and_both_are_paid(
    office: Office,
):
    [one, other] = office.put(people(2))
    office.work()
    office.state.move_people([(one, other)])

    office.end()

    assert office.statuses() == {"completed": 1}
    assert office.outcomes() == {"ok": 2}
    books_agree(office)


def test_a_lead_that_waits_is_not_queued_twice(office: Office):
    office.put(people(2))
    office.work()

    again = office.enrichment.put(people(2), for_batch=True)
    office.work()

    assert (again.queued, again.skipped) == (0, 2)
    assert len(office.providers.batches.batches) == 1


def spoil(office: Office) -> None:
    """Let one address be of a key that nobody has any more."""
    with office.state.writing() as transaction:
        transaction.change(
            "update user_identity set email_encrypted = 'lost'"
            " where user_id = (select min(user_id) from user_identity)"
        )


def test_a_lead_that_can_not_be_read_keeps_no_other_out_of_a_batch(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    office.put(people(3))
    with monkeypatch.context() as patch:
        patch.setattr(Batches, "send", nothing)
        office.work()
    spoil(office)

    with caplog.at_level(logging.CRITICAL, logger="mi_core"):
        assert office.work().batches == batches.Batched(sent=2, under_way=2)
        for _ in range(4):
            office.end()

    assert office.statuses() == {"completed": 2, "failed_permanent": 1}
    books_agree(office)


def test_a_lead_that_can_not_be_read_keeps_no_other_from_its_answer(
    office: Office, caplog: pytest.LogCaptureFixture
):
    office.put(people(3))
    office.work()
    spoil(office)

    with caplog.at_level(logging.CRITICAL, logger="mi_core"):
        assert office.end().batches == batches.Batched(completed=2)
        for _ in range(4):
            office.work(later=HOURS)

    assert office.batches() == ["completed"]
    assert office.statuses() == {"completed": 2, "failed_permanent": 1}
    assert office.asked_in_batches() == 3
    books_agree(office)
