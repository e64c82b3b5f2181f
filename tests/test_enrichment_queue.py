"""The queue of leads: what puts one in, who has it, and how it ends."""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from enrichment_state import (
    LEASE,
    NOW,
    RULES,
    bad,
    bring_to,
    fail,
    finish,
    is_postgresql,
    lease,
    new,
    person,
    put,
    row,
    rows,
    rules,
    status,
    take,
    wait,
)
from enrichment_state import module_state as module_state
from enrichment_state import open_state as open_state
from enrichment_state import other_state as other_state
from enrichment_state import state as state

from mi_core.enrichment import companies, ledger, queue, steps
from mi_core.enrichment.calls import CompanyAnswer, Fact, Reply, Request, Step
from mi_core.enrichment.queue import STATUSES, Finding, Lead
from mi_core.enrichment.steps import Source, StepResult
from mi_core.state import State, moment

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
PRICES = RULES.providers

# --- putting leads in


def test_a_new_lead_is_queued_as_it_was_given(state: State):
    assert put(state, new(1), new(2, for_batch=True)) == ["queued", "queued"]

    found = row(state)
    assert (found["status"], found["tries"], found["trigger_event"]) == ("pending", 0, "signup")
    assert found["email_encrypted"] == "secret of person-1"
    assert moment(found["queued_at"]) == NOW
    assert (found["for_batch"], row(state, 2)["for_batch"]) == (0, 1)
    assert found["lead_id"] != row(state, 2)["lead_id"]


def test_nothing_put_in_is_nothing_queued(state: State):
    assert put(state) == []


@pytest.mark.parametrize("before", STATUSES)
def test_the_same_address_again_revives_only_what_nobody_works_on_any_more(
    state: State, before: str
):
    bring_to(state, before)
    known = row(state)
    revived = before == "failed_permanent"

    assert put(state, new(), at=NOW + MINUTE) == ["queued" if revived else before]

    found = row(state)
    assert found["lead_id"] == known["lead_id"]
    assert found["status"] == ("pending" if revived else before)
    assert (found == known) is not revived
    is_erased = before in ("completed", "cancelled")
    assert found["email_encrypted"] == (None if is_erased else "secret of person-1")


def test_who_was_cancelled_is_queued_again_where_that_is_meant(state: State):
    bring_to(state, "cancelled")

    assert put(state, new(again=True), at=NOW + MINUTE) == ["queued"]
    assert row(state)["email_encrypted"] == "secret of person-1"


@pytest.mark.parametrize("before", STATUSES)
def test_another_address_is_another_lead_unless_the_first_is_in_somebodys_hands(
    state: State, before: str
):
    bring_to(state, before)
    known = row(state)
    left = before in ("processing", "waiting")

    assert put(state, new(address="home"), at=NOW + MINUTE) == [before if left else "queued"]

    found = row(state)
    assert (found["lead_id"] == known["lead_id"]) is left
    assert found["email_hash"] == ("hash of person-1" if left else "hash of home")
    assert found["tries"] == (known["tries"] if left else 0)


@pytest.mark.parametrize(("late", "became"), [(-MINUTE, "completed"), (MINUTE, "queued")])
def test_a_completed_lead_is_asked_about_again_when_its_result_is_old(
    state: State, late: timedelta, became: str
):
    bring_to(state, "completed")
    known = row(state)
    later = NOW + timedelta(days=RULES.result_days) + late

    assert put(state, new(), at=later) == [became]
    assert (row(state)["lead_id"] == known["lead_id"]) is (became == "completed")


def test_the_last_of_several_leads_of_one_person_counts(state: State):
    leads = new(1, address="first"), bad(1), new(2), new(1, address="last")

    assert put(state, *leads) == ["queued", "queued"]
    assert row(state)["email_hash"] == "hash of last"


@pytest.mark.parametrize("domain", [None, "mailinator.com"], ids=["malformed", "disposable"])
def test_a_bad_entry_is_a_dead_letter_that_only_a_good_address_revives(
    state: State, domain: str | None
):
    assert put(state, bad(email_domain=domain)) == ["failed_permanent"]
    assert row(state)["error"] == "This is no address."
    assert queue.retry(state, now=NOW, partial=False) == 0
    assert put(state, bad(email_domain=domain), at=NOW + MINUTE) == ["failed_permanent"]
    assert lease(state) == []

    assert put(state, new(), at=NOW + 2 * MINUTE) == ["queued"]
    assert (status(state), row(state)["error"]) == ("pending", None)


@pytest.mark.parametrize("before", STATUSES)
def test_a_bad_entry_changes_nothing_about_the_lead_that_is_there(state: State, before: str):
    bring_to(state, before)
    known = row(state)

    assert put(state, bad(), at=NOW + MINUTE) == ["failed_permanent"]
    assert row(state) == known


def test_what_was_paid_for_is_kept_when_a_lead_is_put_in_again(state: State):
    lead = take(state)
    write(state, lead, "company", "paid")
    write(state, lead, "social", "skipped", reason="no_name")
    write(state, lead, "persona", "rules", reason="rules_sure")
    finish(state, lead, "failed_permanent")

    put(state, new(), at=NOW + MINUTE)

    assert sources(state, lead) == {"company": "paid"}


def test_ten_thousand_leads_at_once_take_no_time(state: State):
    leads = [new(number) for number in range(10_000)]
    started = time.perf_counter()

    assert set(put(state, *leads)) == {"queued"}
    assert set(put(state, *leads[:5000], at=NOW + MINUTE)) == {"pending"}

    assert time.perf_counter() - started < 15
    assert count_due(state) == 10_000


def test_two_who_put_in_the_same_people_at_once_do_not_disturb_each_other(
    state: State, other_state: State
):
    people = range(200)

    at_once(
        lambda: put(state, *(new(number) for number in people)),
        lambda: put(other_state, *(new(number) for number in reversed(people))),
    )

    assert count_due(state) == len(people)


# --- leasing them


def test_leads_are_taken_in_the_order_in_which_they_came_and_are_due(state: State):
    put(state, new(3), at=NOW - 3 * MINUTE)
    put(state, new(2), at=NOW - 2 * MINUTE)
    put(state, new(4), new(5), at=NOW - MINUTE)
    fail(state, take(state, 1, at=NOW - 9 * MINUTE), due=NOW - 2.5 * MINUTE)

    assert taken(lease(state, 3)) == [3, 1, 2]
    assert taken(lease(state, 9)) == [4, 5]
    assert lease(state, 9) == []


def test_no_more_are_taken_than_asked_for_and_only_whom_one_asks_for(state: State):
    put(state, new(1), new(2), new(3))

    assert lease(state, 0) == []
    assert taken(lease(state, 5, only=person(2))) == [2]
    assert lease(state, 5, only=person(2)) == []
    assert taken(lease(state, 1)) == [1]


def test_a_lead_says_what_is_known_of_it(state: State):
    put(state, new(for_batch=True))
    [lead] = lease(state)

    told = asdict(lead) | {"token": "", "lead_id": ""}
    assert told == {
        "user_id": person(1),
        "lead_id": "",
        "token": "",
        "tries": 1,
        "for_batch": True,
        "is_partial": False,
        "email_hash": "hash of person-1",
        "email_domain": "company.com",
        "name_hash": None,
        "email_encrypted": "secret of person-1",
        "trigger": "signup",
    }
    assert (row(state)["lease_token"], row(state)["lead_id"]) == (lead.token, lead.lead_id)


def test_a_failed_lead_waits_until_it_is_due(state: State):
    fail(state, take(state), due=NOW + MINUTE)

    assert lease(state, at=NOW + MINUTE - timedelta(microseconds=1)) == []
    assert count_due(state) == 0
    [again] = lease(state, at=NOW + MINUTE)
    assert again.tries == 2


def test_a_lease_that_ran_out_returns_the_lead_under_another_token(state: State):
    first = take(state)

    assert lease(state, at=NOW + LEASE - timedelta(microseconds=1)) == []
    [second] = lease(state, at=NOW + LEASE)
    assert second.lead_id == first.lead_id
    assert (second.tries, second.token != first.token) == (2, True)


def test_a_lead_that_kills_its_workers_is_a_dead_letter(state: State):
    first = take(state)
    spend(state, first, 700)
    at = NOW
    for _ in range(RULES.tries - 1):
        at += LEASE
        assert len(lease(state, at=at)) == 1

    assert lease(state, at=at + LEASE) == []

    found = row(state)
    assert (found["status"], found["tries"]) == ("failed_permanent", RULES.tries)
    assert found["error"] == "the worker died while it had the lead"
    assert (found["lease_token"], found["enriched_at"], found["cost_micros"]) == (None, None, 700)
    assert found["email_encrypted"] == "secret of person-1"
    assert queue.retry(state, now=at, partial=False) == 1
    assert lease(state, at=at)[0].tries == 1


def test_the_last_error_stays_beside_the_worker_that_died(state: State):
    fail(state, take(state))
    lease(state)
    once = rules(tries=1)

    assert queue.lease(state, 1, now=NOW + LEASE, rules=once) == []
    assert row(state)["error"] == "no luck; the worker died while it had the lead"


def test_of_several_people_with_one_address_one_is_taken_at_a_time(state: State):
    put(state, *(new(number, address="shared") for number in (1, 2)), new(3))

    first, third = lease(state, 9)
    assert taken([first, third]) == [1, 3]
    assert lease(state, 9) == []
    finish(state, first)
    assert taken(lease(state, 9)) == [2]


def test_a_dead_workers_address_does_not_block_the_others_for_good(state: State):
    put(state, *(new(number, address="shared") for number in (1, 2)))
    lease(state, only=person(1))

    assert taken(lease(state, 9, at=NOW + LEASE)) == [1]
    assert lease(state, 9, at=NOW + LEASE) == []


def test_workers_at_once_never_take_the_same_lead(state: State, other_state: State):
    put(state, *(new(number) for number in range(40)))

    def work(own: State) -> list[int]:
        found: list[int] = []
        while batch := lease(own, 3):
            found += taken(batch)
        return found

    mine, theirs = at_once(lambda: work(state), lambda: work(other_state))

    assert sorted(mine + theirs) == list(range(40))


def test_a_row_that_another_transaction_changes_is_passed_over(state: State, other_state: State):
    if not is_postgresql(state):
        pytest.skip("SQLite has one writer at a time")
    put(state, new(1), new(2))

    with other_state.writing() as transaction:
        change = "update user_identity set error = 'being looked at' where user_id = :id"
        transaction.change(change, id=person(1))
        assert taken(lease(state, 9)) == [2]

    assert taken(lease(state, 9)) == [1]


def test_a_lease_that_is_renewed_is_kept_and_one_that_is_lost_stays_lost(state: State):
    lost = take(state, 1)
    [held] = lease(state, at=NOW + LEASE)
    later = NOW + LEASE + LEASE / 2

    queue.renew(state, [held.token, lost.token, "nobody's"], until=later + LEASE)
    queue.renew(state, [], until=later)

    assert lease(state, at=later + LEASE / 2) == []
    assert not is_held(state, lost)
    assert is_held(state, held)


# --- what a lost lease may still do


WRITES: dict[str, Callable[[State, Lead], object]] = {
    "finish": lambda state, lead: finish(state, lead, company={"name": "Acme"}),
    "bury": lambda state, lead: finish(state, lead, "failed_permanent"),
    "fail": lambda state, lead: fail(state, lead),
    "wait": lambda state, lead: wait(state, lead),
    "give back": lambda state, lead: queue.give_back(state, lead),
    "renew": lambda state, lead: queue.renew(state, [lead.token], until=NOW + DAY),
    "is held": lambda state, lead: is_held(state, lead),
}
LOSSES: dict[str, Callable[[State, Lead], object]] = {
    "taken by another": lambda state, lead: lease(state, at=NOW + LEASE),
    "cancelled": lambda state, lead: queue.cancel(state, [lead.user_id], now=NOW),
    "cancelled, put in and taken again": lambda state, lead: (
        queue.cancel(state, [lead.user_id], now=NOW),
        take(state, again=True),
    ),
    "waiting": lambda state, lead: wait(state, lead),
    "completed": lambda state, lead: finish(state, lead),
    "failed": lambda state, lead: fail(state, lead),
    "given back": lambda state, lead: queue.give_back(state, lead),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_no_write_under_a_lost_lease_changes_anything(state: State, loss: str):
    lead = take(state)
    LOSSES[loss](state, lead)
    known = row(state)

    told = {name: write(state, lead) for name, write in WRITES.items()}

    assert row(state) == known
    assert not any(told.values())


def test_a_call_is_not_reserved_under_a_lost_lease(state: State):
    lead = take(state)
    queue.cancel(state, [lead.user_id], now=NOW)

    assert isinstance(reserve(state, lead), ledger.LeaseLost)
    assert rows(state, "select * from enrichment_call") == []


def test_a_lead_that_is_given_back_was_not_tried(state: State):
    fail(state, take(state))
    [second] = lease(state)
    queue.give_back(state, second, due=NOW + MINUTE)

    assert (status(state), row(state)["tries"]) == ("pending", 1)
    assert lease(state) == []
    [again] = lease(state, at=NOW + MINUTE)
    assert again.tries == 2


# --- ending them


def test_a_completed_lead_keeps_what_was_found_and_not_the_address(state: State):
    lead = take(state)
    company = {"name": "Acme", "domain": "acme.com", "size": 40}
    profiles = {"github": {"url": "https://github.com/ann"}}

    assert finish(
        state, lead, company=company, social_profiles=profiles, is_partial=True, error="half"
    )

    found = queue.describe(state, person(1))
    assert found is not None
    assert (found["status"], found["is_partial"], found["error"]) == ("completed", True, "half")
    assert (found["company_name"], found["company_size"]) == ("Acme", 40)
    assert (found["social_profiles"], found["enriched_at"]) == (profiles, NOW)
    assert row(state)["email_encrypted"] is None
    assert row(state)["email_hash"] == "hash of person-1"


def test_the_address_of_a_dead_letter_waits_for_a_while(state: State):
    finish(state, take(state), "failed_permanent", error="no")

    assert row(state)["email_encrypted"] == "secret of person-1"
    assert row(state)["enriched_at"] is None
    assert queue.erase_waiting(state, before=NOW) == 0
    assert queue.erase_waiting(state, before=NOW + MINUTE) == 1
    assert queue.erase_waiting(state, before=NOW + MINUTE) == 0
    assert row(state)["email_encrypted"] is None


@pytest.mark.parametrize("before", ["pending", "processing", "waiting", "failed"])
def test_an_address_that_is_still_needed_is_not_erased(state: State, before: str):
    bring_to(state, before)

    assert queue.erase_waiting(state, before=NOW + DAY) == 0
    assert row(state)["email_encrypted"] == "secret of person-1"


def test_a_lead_costs_what_its_calls_cost_so_far(state: State):
    lead = take(state)
    spend(state, lead, 700)
    spend(state, lead, 300)
    reserve(state, lead)
    finish(state, lead)

    assert row(state)["cost_micros"] == 1000


def test_an_earlier_result_stays_dated_when_a_later_lead_dies(state: State):
    bring_to(state, "completed")
    put(state, new(address="home"), at=NOW + MINUTE)
    finish(state, lease(state, at=NOW + DAY)[0], "failed_permanent", at=NOW + DAY)

    assert moment(row(state)["enriched_at"]) == NOW


def test_nobody_has_a_lead_that_was_never_put_in(state: State):
    assert queue.describe(state, person(1)) is None


# --- lending a hand


def test_a_dead_letter_is_tried_again_and_not_paid_again(state: State):
    lead = take(state)
    write(state, lead, "social", "skipped")
    write(state, lead, "company", "paid")
    write(state, lead, "persona", "rules")
    finish(state, lead, "failed_permanent", error="no")
    take(state, 2)

    assert queue.retry(state, now=NOW + MINUTE, partial=False) == 1

    [again] = lease(state, at=NOW + MINUTE)
    assert (again.lead_id, again.tries) == (lead.lead_id, 1)
    assert again.email_encrypted == "secret of person-1"
    assert sources(state, lead) == {"company": "paid"}


def test_without_its_address_a_dead_letter_can_be_tried_all_the_same(state: State):
    bring_to(state, "failed_permanent")
    queue.erase_waiting(state, before=NOW + DAY)

    assert queue.retry(state, now=NOW + DAY, partial=False, user_id=person(1)) == 1
    assert lease(state, at=NOW + DAY)[0].email_encrypted is None


def test_only_the_one_asked_for_is_tried_again(state: State):
    for number in (1, 2):
        finish(state, take(state, number), "failed_permanent")

    assert queue.retry(state, now=NOW, partial=False, user_id=person(2)) == 1
    assert queue.retry(state, now=NOW, partial=False, user_id=person(3)) == 0
    assert [status(state, number) for number in (1, 2)] == ["failed_permanent", "pending"]


def test_a_partial_lead_is_tried_again_and_a_whole_one_is_not(state: State):
    partial, whole = take(state, 1), take(state, 2)
    for lead in (partial, whole):
        write(state, lead, "social", "paid")
        write(state, lead, "company", "skipped", reason="down")
    finish(state, partial, is_partial=True)
    finish(state, whole)

    assert queue.retry(state, now=NOW, partial=False) == 0
    assert queue.retry(state, now=NOW, partial=True) == 1

    assert (status(state, 1), status(state, 2)) == ("pending", "completed")
    assert sources(state, partial) == {"social": "paid"}
    assert sources(state, whole) == {"social": "paid", "company": "skipped"}


@pytest.mark.parametrize("before", STATUSES)
def test_what_is_not_through_can_be_cancelled_and_its_address_goes(state: State, before: str):
    bring_to(state, before)
    is_open = before not in ("completed", "cancelled")

    assert queue.cancel(state, [person(1), person(2)], now=NOW) == int(is_open)
    assert status(state) == ("completed" if before == "completed" else "cancelled")
    assert row(state)["email_encrypted"] is None
    assert lease(state, at=NOW + DAY) == []


# --- one address, several people


@pytest.mark.parametrize("end", ["completed", "failed_permanent"])
def test_profiles_paid_for_lately_are_found_by_another_lead_of_the_address(state: State, end: str):
    first = take(state, 1, address="shared")
    write(state, first, "social", "paid", answer={"github": {}})
    finish(state, first, status=end)
    second = take(state, 2, address="shared")
    days = timedelta(days=RULES.result_days)

    assert elsewhere(state, second, at=NOW + days) == StepResult(
        "social", "cache", "test", {"github": {}}, reason="result_cache"
    )
    assert elsewhere(state, second, at=NOW + days + MINUTE) is None
    assert elsewhere(state, take(state, 3)) is None
    assert elsewhere(state, replace(second, name_hash="another name")) is None
    assert elsewhere(state, first) is None


@pytest.mark.parametrize("source", ["skipped", "local"])
def test_only_what_was_paid_for_is_found(state: State, source: Source):
    first = take(state, 1, address="shared")
    write(state, first, "social", source, answer={})
    finish(state, first)

    assert elsewhere(state, take(state, 2, address="shared")) is None


def test_a_step_that_was_paid_for_is_never_overwritten(state: State):
    lead = take(state)
    write(state, lead, "company", "skipped", reason="down", error="it was down")
    assert done(state, lead)["company"].is_missing
    write(state, lead, "company", "paid", answer={})
    write(state, lead, "company", "skipped", reason="down")

    assert done(state, lead) == {"company": StepResult("company", "paid", "test", answer={})}
    assert not done(state, lead)["company"].is_missing


# --- waiting for a batch


def test_leads_that_wait_are_nobodys_until_their_batch_comes(state: State):
    leads = [take(state, number, for_batch=True) for number in (1, 2)]
    assert all(wait(state, lead) for lead in leads)

    assert lease(state, 9, at=NOW + DAY) == []
    with state.writing() as transaction:
        found = queue.waiting(transaction, 9)
        assert taken(found) == [1, 2]
        assert taken(queue.waiting(transaction, 1)) == [1]
        assert {lead.token for lead in found} == {""}
        held = queue.lease_waiting(transaction, leads[0].lead_id, now=NOW, rules=RULES)
        assert held is not None
        assert held.tries == 1
        assert queue.lease_waiting(transaction, held.lead_id, now=NOW, rules=RULES) is None
    assert is_held(state, held)
    assert finish(state, held)


def test_a_waiting_lead_whose_worker_dies_at_the_end_returns(state: State):
    wait(state, lead := take(state))
    with state.writing() as transaction:
        queue.lease_waiting(transaction, lead.lead_id, now=NOW, rules=RULES)

    assert lease(state) == []
    assert taken(lease(state, at=NOW + LEASE)) == [1]


def test_a_lead_that_leaves_its_batch_is_asked_about_alone(state: State):
    wait(state, lead := take(state, for_batch=True))
    with state.writing() as transaction:
        queue.leave_batch(transaction, lead.lead_id)

    [alone] = lease(state)
    assert (alone.for_batch, alone.tries) == (False, 1)
    with state.writing() as transaction:
        queue.leave_batch(transaction, lead.lead_id)
    assert is_held(state, alone)


def test_leads_are_counted_by_status(state: State):
    bring_to(state, "waiting")
    put(state, new(2), bad(3))

    with state.reading() as transaction:
        counted = queue.count(transaction)

    assert tuple(counted) == STATUSES
    assert {name: leads for name, leads in counted.items() if leads} == {
        "pending": 1,
        "waiting": 1,
        "failed_permanent": 1,
    }


# --- companies


def test_one_at_a_time_asks_about_a_company_and_the_others_find_the_answer(state: State):
    assert ask_company(state, "first") is True
    assert ask_company(state, "second") is False
    assert ask_company(state, "first", at=NOW + MINUTE) is True
    assert ask_company(state, "second", "other.com") is True

    store_company(state, "Acme")

    assert ask_company(state, "second") == (acme("Acme"), "perplexity")
    assert ask_company(state, "third") == (acme("Acme"), "perplexity")


def test_a_claim_ends_by_itself_or_is_given_up_by_its_owner_alone(state: State):
    ask_company(state, "first")
    companies.let_go(state, "acme.com", "second")
    assert ask_company(state, "second", at=NOW + LEASE - MINUTE / 60) is False
    assert ask_company(state, "second", at=NOW + LEASE) is True

    companies.let_go(state, "acme.com", "second")
    assert ask_company(state, "third") is True


def test_an_answer_counts_even_from_somebody_who_lost_the_claim(state: State):
    ask_company(state, "slow")
    ask_company(state, "quick", at=NOW + LEASE)
    store_company(state, "Slow", at=NOW + LEASE)

    assert ask_company(state, "third", at=NOW + LEASE) == (acme("Slow"), "perplexity")
    store_company(state, "Quick", at=NOW + LEASE + MINUTE)
    assert ask_company(state, "third", at=NOW + LEASE + MINUTE) == (acme("Quick"), "perplexity")


def test_a_company_is_asked_about_again_after_its_days_and_known_until_then(state: State):
    ask_company(state, "first")
    store_company(state, "Acme")
    old = NOW + timedelta(days=RULES.company_days)

    assert ask_company(state, "later", at=old - MINUTE) is not True
    assert ask_company(state, "later", at=old) is True
    with state.reading() as transaction:
        assert companies.known(transaction, "acme.com") == acme("Acme")
        assert companies.known(transaction, "other.com") is None


def test_only_facts_that_their_source_bears_out_are_supported():
    answer = CompanyAnswer(
        {"name": Fact("Acme", None, None, True), "size": Fact(40, None, None, False)}
    )

    assert companies.supported(answer) == {"name": "Acme"}
    assert companies.supported(None) == {}


# --- people who turn out to be others


@pytest.mark.parametrize("before", STATUSES)
def test_a_lead_follows_its_person_in_every_status(state: State, before: str):
    bring_to(state, before)
    known = row(state)

    state.move_people([(person(1), person(2))])

    assert row(state, 2) == known | {"user_id": person(2)}
    assert rows(state, "select * from user_identity where user_id = :id", id=person(1)) == []


def test_a_worker_goes_on_with_a_lead_whose_person_is_another_by_now(state: State):
    lead = take(state)
    spend(state, lead, 700)
    state.move_people([(person(1), person(2))])

    spend(state, lead, 300)
    write(state, lead, "company", "paid")
    assert finish(state, lead)

    found = queue.describe(state, person(2))
    assert found is not None
    assert (found["status"], found["cost_micros"]) == ("completed", 1000)
    assert sorted(call["cost_micros"] for call in found["calls"]) == [300, 700]
    assert [step["step"] for step in found["steps"]] == ["company"]
    assert {each["user_id"] for each in calls(state)} == {person(2)}


def test_of_two_leads_of_one_person_the_one_that_got_further_stays(state: State):
    completed, pending = take(state, 1), take(state, 2)
    for lead, cost in ((completed, 700), (pending, 300)):
        spend(state, lead, cost)
        write(state, lead, "company", "paid")
    finish(state, completed)

    state.move_people([(person(1), person(2))])

    found = row(state, 2)
    assert (found["lead_id"], found["status"]) == (completed.lead_id, "completed")
    assert {each["user_id"] for each in calls(state)} == {person(2)}
    assert [each["lead_id"] for each in rows(state, "select lead_id from enrichment_step")] == [
        completed.lead_id
    ]
    assert not is_held(state, pending)


@pytest.mark.parametrize("better", ["processing", "waiting", "failed"])
@pytest.mark.parametrize("worse", ["pending", "failed_permanent", "cancelled"])
def test_a_lead_under_way_is_not_lost_to_one_that_is_not(state: State, better: str, worse: str):
    bring_to(state, worse, 1)
    bring_to(state, better, 2)
    known = row(state, 2)

    state.move_people([(person(1), person(2))])

    assert row(state, 2) == known


def test_the_cost_of_a_lead_that_gave_way_counts_for_the_one_that_stays(state: State):
    for number, cost in ((1, 700), (2, 300)):
        lead = take(state, number)
        spend(state, lead, cost)
        finish(state, lead, at=NOW + number * MINUTE)

    state.move_people([(person(1), person(3)), (person(2), person(3))])

    assert row(state, 3)["cost_micros"] == 1000
    assert moment(row(state, 3)["enriched_at"]) == NOW + 2 * MINUTE


def test_a_person_may_become_another_while_a_worker_writes_down_a_call(
    state: State, other_state: State
):
    if not is_postgresql(state):
        pytest.skip("SQLite has one writer at a time")
    lead = take(state)
    leave = reserve(state, lead)
    assert isinstance(leave, ledger.Reserved)
    moving = threading.Thread(target=other_state.move_people, args=([(person(1), person(2))],))

    with state.writing() as transaction:
        ledger.settle(transaction, leave.call_id, Reply("ok", 9), latency_ms=1, now=NOW)
        moving.start()
        until_somebody_waits(state)
        assert queue.is_held(transaction, lead.token)
    moving.join()

    assert [(each["user_id"], each["cost_micros"]) for each in calls(state)] == [(person(2), 9)]


def test_a_person_may_become_another_while_a_worker_ends_the_lead(state: State, other_state: State):
    if not is_postgresql(state):
        pytest.skip("SQLite has one writer at a time")
    ending, pending = take(state, 1), take(state, 2)
    moving = threading.Thread(target=other_state.move_people, args=([(person(1), person(2))],))

    with state.writing() as transaction:
        queue.finish(transaction, ending, Finding("completed"), now=NOW)
        moving.start()
        until_somebody_waits(state)
    moving.join()

    assert (row(state, 2)["lead_id"], status(state, 2)) == (ending.lead_id, "completed")
    assert not is_held(state, pending)


# --- helpers


def taken(leads: list[Lead]) -> list[int]:
    """The numbers of the leads' people."""
    return [int(lead.user_id[-12:]) for lead in leads]


def count_due(state: State, at: datetime = NOW) -> int:
    return queue.count_due(state, now=at)


def is_held(state: State, lead: Lead) -> bool:
    with state.writing() as transaction:
        return queue.is_held(transaction, lead.token)


def write(state: State, lead: Lead, step: Step, source: Source, **told: object) -> None:
    result = StepResult(step, source, "test", **told)  # type: ignore[arg-type]
    with state.writing() as transaction:
        steps.write(transaction, lead.lead_id, result, now=NOW)


def done(state: State, lead: Lead) -> dict[Step, StepResult]:
    with state.reading() as transaction:
        return steps.read(transaction, lead.lead_id)


def sources(state: State, lead: Lead) -> dict[Step, Source]:
    return {step: result.source for step, result in done(state, lead).items()}


def elsewhere(state: State, lead: Lead, *, at: datetime = NOW) -> StepResult | None:
    since = at - timedelta(days=RULES.result_days)
    with state.reading() as transaction:
        return steps.found_elsewhere(transaction, lead, "social", since=since)


def reserve(state: State, lead: Lead) -> ledger.Leave:
    request = Request({}, 1000)
    return ledger.reserve(state, lead, "openai", PRICES.openai, request, now=NOW, rules=RULES)


def spend(state: State, lead: Lead, cost: int) -> None:
    leave = reserve(state, lead)
    assert isinstance(leave, ledger.Reserved)
    with state.writing() as transaction:
        ledger.settle(transaction, leave.call_id, Reply("ok", cost), latency_ms=1, now=NOW)


def calls(state: State) -> list[dict[str, object]]:
    return rows(state, "select * from enrichment_call")


def ask_company(
    state: State, token: str, domain: str = "acme.com", *, at: datetime = NOW
) -> tuple[CompanyAnswer, str] | bool:
    return companies.known_or_claimed(state, domain, token, now=at, rules=RULES)


def acme(name: str) -> CompanyAnswer:
    return CompanyAnswer({"name": Fact(name, "https://acme.com", "words", True)})


def store_company(state: State, name: str, *, at: datetime = NOW) -> None:
    with state.writing() as transaction:
        companies.store(
            transaction, "acme.com", acme(name), "perplexity", now=at, days=RULES.company_days
        )


def at_once(*jobs: Callable[[], list[Any]]) -> list[list[Any]]:
    """What each job gave; all begin together, in threads of their own."""
    start = threading.Barrier(len(jobs))
    results: dict[int, list[Any]] = {}

    def run(number: int) -> None:
        start.wait()
        results[number] = jobs[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(len(jobs))]


def until_somebody_waits(state: State, patience: float = 10) -> None:
    """Until a transaction of this database waits for another one."""
    waiting = (
        "select 1 from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock'"
    )
    until = time.monotonic() + patience
    while not rows(state, waiting):
        assert time.monotonic() < until, "nobody waits"
