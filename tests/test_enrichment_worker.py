"""What a worker does when things around it go wrong, and what it leaves unasked."""

import asyncio
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from enrichment_desk import desk, leads
from provider_fakes import Providers

from mi_core.enrichment import queue
from mi_core.enrichment.intake import Entry
from mi_core.workspace import Workspace

JO = "joanna.roe@company-1.com"


@pytest.fixture
def office(tmp_path: Path, providers: Providers) -> Iterator[Workspace]:
    """A workspace with keys for all fakes."""
    with desk(tmp_path / "workspace", providers) as opened:
        yield opened


def asked(providers: Providers) -> dict[str, int]:
    return {
        name: len(providers.asked(name))
        for name in ("rapidapi", "perplexity", "openai")
        if providers.asked(name)
    }


def rows(office: Workspace, query: str) -> list[dict[str, Any]]:
    with office.state.reading() as transaction:
        return transaction.rows(query)


def settled(office: Workspace, providers: Providers) -> None:
    """The ledger is the bill, and nothing is open."""
    assert rows(office, "select * from enrichment_call where cost_micros is null") == []
    [booked] = rows(office, "select sum(cost_micros) as micros from enrichment_call")
    assert booked["micros"] == providers.total_micros()


# ---- the process stands still, or a part of it fails


def test_an_answer_that_came_while_the_process_stood_still_is_not_lost(
    tmp_path: Path, providers: Providers
):
    seconds = "".join(
        f"[enrichment.providers.{name}]\ntimeout_seconds = 1.5\n" for name in providers.urls
    )
    providers.latency_seconds = 0.3
    with desk(tmp_path / "workspace", providers, seconds) as office:
        office.enrichment.put(leads(3))
        writer = threading.Timer(0.15, hold_the_lock, [tmp_path / "workspace" / "state.sqlite"])
        providers.before_work = once(writer.start)
        worked = office.enrichment.work()
        writer.join()

        assert (worked.completed, worked.failed) == (3, 0)
        settled(office, providers)


def hold_the_lock(file: Path) -> None:
    """Write for longer than any answer may take; a separate SQLite, as another process has."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("begin immediate")
    time.sleep(2.5)
    connection.execute("commit")
    connection.close()


def test_a_beat_that_fails_is_followed_by_the_next(
    tmp_path: Path, providers: Providers, monkeypatch: pytest.MonkeyPatch
):
    beats = []

    def renew(*_: Any, **__: Any) -> None:
        beats.append(len(beats))
        raise OSError("the disk is full")

    monkeypatch.setattr(queue, "renew", renew)
    monkeypatch.setattr(asyncio, "sleep", quick_sleep(asyncio.sleep))
    providers.latency_seconds = 0.3
    with desk(tmp_path / "workspace", providers) as office:
        office.enrichment.put(leads(1))
        assert office.enrichment.work().completed == 1
    assert len(beats) > 1


def quick_sleep(sleep: Any) -> Any:
    """Long sleeps are shorter."""

    async def slept(seconds: float, *rest: Any) -> Any:
        return await sleep(min(seconds, 0.05), *rest)

    return slept


def test_what_is_under_way_is_paid_for_and_ends_when_the_lake_fails(
    office: Workspace, providers: Providers, monkeypatch: pytest.MonkeyPatch
):
    office.enrichment.put(leads(16))
    behaviors, calls = office.enrichment._behaviors, []

    def failing(user_ids: Any) -> Any:
        calls.append(user_ids)
        if len(calls) == 2:
            raise RuntimeError("the lake is away")
        return behaviors(user_ids)

    monkeypatch.setattr(office.enrichment, "_behaviors", failing)
    with pytest.raises(RuntimeError, match="the lake is away"):
        office.enrichment.work(None)

    settled(office, providers)
    assert office.enrichment.status().leads["processing"] == 0
    assert office.enrichment.work(None).failed == 0
    assert office.enrichment.status().leads["completed"] == 16
    assert asked(providers)["openai"] == 16


def test_one_lead_that_cannot_be_worked_on_leaves_the_others_alone(
    office: Workspace, providers: Providers
):
    office.enrichment.put(leads(3))
    with office.state.writing() as transaction:
        transaction.change(
            "update user_identity set email_encrypted = 'gAAAA' where user_id ="
            " (select min(user_id) from user_identity)"
        )
    worked = office.enrichment.work()
    assert (worked.completed, worked.failed) == (2, 1)
    [failed] = rows(office, "select error from user_identity where status = 'failed'")
    assert failed["error"] == "unexpected InvalidToken"


# ---- stopping


def test_the_first_signal_lets_the_leads_under_way_finish(office: Workspace, providers: Providers):
    office.enrichment.put(leads(30))
    before = signal.getsignal(signal.SIGTERM)
    providers.latency_seconds = 0.1
    providers.before_work = once(lambda: signal.raise_signal(signal.SIGTERM))

    worked = office.enrichment.work(None)

    assert worked.completed == worked.taken < 30
    assert office.enrichment.status().leads["pending"] == 30 - worked.completed
    assert signal.getsignal(signal.SIGTERM) is before
    settled(office, providers)


def once(act: Any) -> Any:
    done = threading.Event()

    def hook(*_: Any) -> None:
        if not done.is_set():
            done.set()
            act()

    return hook


def test_in_a_notebook_an_interrupt_ends_the_run_after_the_leads_under_way(
    office: Workspace, providers: Providers
):
    office.enrichment.put(leads(40))
    providers.latency_seconds = 0.1

    async def cell() -> int:
        return office.enrichment.work(None).completed

    providers.before_work = once(lambda: signal.raise_signal(signal.SIGINT))
    assert 0 < asyncio.run(cell()) < 40

    assert 0 < office.enrichment.status().leads["completed"] < 40
    assert office.enrichment.status().leads["processing"] == 0
    settled(office, providers)


def test_a_lead_that_is_cancelled_while_it_waits_for_its_turn_is_not_asked_about(
    tmp_path: Path, providers: Providers
):
    plan = "[enrichment]\nrate_share = 1.0\n[enrichment.providers.rapidapi]\ncalls = 1\n"
    with desk(tmp_path / "workspace", providers, plan + "per_seconds = 1.0\n") as office:
        office.enrichment.put(leads(2))
        providers.before_work = cancel_the_other(office)
        office.enrichment.work()

        assert asked(providers)["rapidapi"] == 1
        assert office.enrichment.status().leads["cancelled"] == 1
        settled(office, providers)


def cancel_the_other(office: Workspace) -> Any:
    """Cancels the lead whose search has not begun, as soon as the first one is asked."""
    done = threading.Event()

    def hook(service: str, call: Any) -> None:
        if service == "rapidapi" and not done.is_set():
            done.set()
            asking = [row for row in rows(office, FIRST_TURN)]
            with office.state.writing() as transaction:
                transaction.change(
                    "update user_identity set status = 'cancelled', lease_token = null"
                    " where lead_id <> :asking",
                    asking=asking[0]["lead_id"],
                )

    return hook


FIRST_TURN = "select lead_id from enrichment_call where provider = 'rapidapi' order by called_at"


# ---- what is not paid for twice


@pytest.mark.parametrize("fault", ["refusal", "cut_off"])
def test_a_company_that_gives_no_answer_is_paid_for_once(
    tmp_path: Path, providers: Providers, fault: str
):
    providers.faults["perplexity"] = lambda _call: fault
    with desk(tmp_path / "workspace", providers, "[enrichment]\ntries = 1\n") as office:
        office.enrichment.put(leads(6, companies=1))
        worked = office.enrichment.work()

        assert worked.completed == 6
        assert asked(providers)["perplexity"] == 1
        settled(office, providers)


def test_no_answer_is_asked_for_again_sooner_than_an_answer(
    office: Workspace, providers: Providers
):
    providers.faults["perplexity"] = ["cut_off"]
    office.enrichment.put(leads(1, companies=1))
    office.enrichment.work()
    later = datetime.now(UTC) + timedelta(days=office.enrichment.rules.result_days, minutes=1)
    office.enrichment.clock = lambda: later
    office.enrichment.put([Entry("another.person@company-0.com")])
    office.enrichment.work()

    assert asked(providers)["perplexity"] == 2


def test_a_claim_lasts_as_long_as_the_answer_takes(
    tmp_path: Path, providers: Providers, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(asyncio, "sleep", quick_sleep(asyncio.sleep))
    providers.before_answer = lambda service, _call: time.sleep(1.2 * (service == "perplexity"))
    with (
        desk(tmp_path / "workspace", providers) as one,
        desk(tmp_path / "workspace", providers) as other,
    ):
        # Two workers of one process: SQLite's locks are the process's, so they take turns.
        claimed: list[str] = []
        one.enrichment.put(leads(1, companies=1))
        thread = threading.Thread(target=lambda: claimed.append(str(one.enrichment.work())))
        thread.start()
        providers.wait_for(1, "perplexity")
        [first] = rows(other, CLAIM)
        time.sleep(0.5)
        [second] = rows(other, CLAIM)
        thread.join()

    assert second["claim_expires_at"] > first["claim_expires_at"]


CLAIM = "select claim_expires_at from company_profile"


def test_profiles_found_for_the_same_address_and_name_are_taken_over(
    office: Workspace, providers: Providers
):
    office.enrichment.put([Entry(JO, "one"), Entry(JO, "two"), Entry(JO, "three", "Jo Other")])
    office.enrichment.work(None)

    assert asked(providers) == {"rapidapi": 2, "perplexity": 1, "openai": 3}
    settled(office, providers)
    cached = rows(office, "select step from enrichment_call where is_cached = 1 order by step")
    assert [row["step"] for row in cached] == ["company", "company", "social"]


def test_profiles_are_taken_over_from_a_lead_that_failed_elsewhere(
    office: Workspace, providers: Providers
):
    providers.faults["openai"] = ["server_error"]
    office.enrichment.put([Entry(JO, "one")])
    assert office.enrichment.work().failed == 1
    office.enrichment.put([Entry(JO, "two")])
    assert office.enrichment.work().completed == 1

    assert asked(providers)["rapidapi"] == 1


def test_each_person_has_a_persona_of_their_own(office: Workspace):
    office.enrichment.put([Entry(JO, "one"), Entry(JO, "two")])
    office.enrichment.work(None)

    steps = rows(office, "select source from enrichment_step where step = 'persona'")
    assert [row["source"] for row in steps] == ["paid", "paid"]


def test_a_stranger_is_given_no_persona_that_rules_made_up(office: Workspace):
    [user_id] = office.enrichment.put([Entry("sales@gmail.com", "one")]).user_ids
    office.state.assign_personas(
        [(user_id, "automation_pro", 0.75)],
        source="behavior_analysis",
        assigned_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    office.enrichment.work()

    [persona] = rows(office, "select slug from user_persona where superseded_at is null")
    assert persona["slug"] == "automation_pro"


def test_what_an_earlier_address_gave_is_kept_for_nobody(office: Workspace):
    office.enrichment.put([Entry(JO, "one")])
    office.enrichment.work()
    office.enrichment.put([Entry("joanna.roe@company-2.com", "one")])
    office.enrichment.work()

    left = rows(office, "select distinct lead_id from enrichment_step")
    assert left == rows(office, "select lead_id from user_identity")


# ---- what is tried again


def test_a_partial_lead_that_fails_again_is_completed_still(
    office: Workspace, providers: Providers
):
    providers.faults["openai"] = ["bad_request"]
    office.enrichment.put([Entry(JO, "one")])
    assert office.enrichment.work().partial == 1
    before = office.enrichment.lead("one")

    providers.faults["openai"] = lambda _call: "server_error"
    assert office.enrichment.retry(partial=True) == 1
    later = datetime.now(UTC)
    for hours in range(1, 5):
        office.enrichment.clock = lambda hours=hours: later + timedelta(hours=hours)
        office.enrichment.work()

    lead = office.enrichment.lead("one")
    assert (lead["status"], lead["is_partial"]) == ("completed", True)
    assert lead["company_domain"] == before["company_domain"] == "company-1.com"
    settled(office, providers)


def test_a_dead_letter_keeps_the_domain_of_its_company(tmp_path: Path, providers: Providers):
    providers.faults["openai"] = lambda _call: "server_error"
    with desk(tmp_path / "workspace", providers, "[enrichment]\ntries = 1\n") as office:
        office.enrichment.put([Entry(JO, "one")])
        office.enrichment.work()
        lead = office.enrichment.lead("one")
        assert (lead["status"], lead["company_domain"]) == ("failed_permanent", "company-1.com")


def test_an_address_leaves_no_bytes_behind_not_even_encrypted_ones(
    tmp_path: Path, providers: Providers
):
    with desk(tmp_path / "workspace", providers) as office:
        office.enrichment.put(leads(3))
        tokens = [
            str(row["email_encrypted"]).encode()
            for row in rows(office, "select email_encrypted from user_identity")
        ]
        assert any(token in everything(tmp_path) for token in tokens)
        assert office.enrichment.work().completed == 3

    assert not any(token in everything(tmp_path) for token in tokens)


def everything(folder: Path) -> bytes:
    """The bytes of all files of the state."""
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("state.sqlite*")))
