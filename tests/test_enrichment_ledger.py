"""The ledger: what a call may cost is held before it is sent, and what it cost is known once."""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from enrichment_state import (
    LEASE,
    NOW,
    RULES,
    budget,
    empty,
    finish,
    lease,
    new,
    person,
    put,
    row,
    rows,
    rules,
    take,
    wait,
)
from enrichment_state import module_state as module_state
from enrichment_state import open_state as open_state
from enrichment_state import other_state as other_state
from enrichment_state import state as state
from hypothesis import given, settings
from hypothesis import strategies as st

from mi_core.definitions import EnrichmentRules, ProviderPrice
from mi_core.enrichment import ledger, queue
from mi_core.enrichment.calls import BROKEN, SHUT, Outcome, Reply, Request
from mi_core.enrichment.ledger import Budget, Down, Later, LeaseLost, OverBudget, Reserved
from mi_core.enrichment.queue import Lead
from mi_core.errors import BadValue, UnknownName
from mi_core.state import State, moment

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
FAST = RULES.providers.openai.model_copy(update={"calls": 1_000_000})
BREAKER = RULES.breaker
PAUSE = timedelta(seconds=BREAKER.pause_seconds)
SHUT_FOR = timedelta(seconds=BREAKER.shut_seconds)
ANY_BUDGET = budget()

# --- reserving and settling


def test_a_reserved_call_is_held_in_full_until_its_cost_is_known(state: State):
    lead = take(state)
    leave = reserve(state, 900, lead=lead, model="gpt")
    assert leave == Reserved(leave.call_id, NOW)
    assert committed(state) == 900

    assert settle(state, leave, 250, model="gpt-2", input_tokens=7, output_tokens=3)

    found = call(state, leave)
    assert committed(state) == 250
    assert (found["user_id"], found["lead_id"]) == (lead.user_id, lead.lead_id)
    assert (found["step"], found["provider"]) == ("persona", "openai")
    assert (found["status"], found["cost_micros"], found["most_micros"]) == ("ok", 250, 900)
    assert (found["model"], found["input_tokens"], found["output_tokens"]) == ("gpt-2", 7, 3)
    assert (moment(found["called_at"]), moment(found["settled_at"])) == (NOW, NOW)


def test_what_a_reply_does_not_say_stays_as_it_was_reserved(state: State):
    leave = reserve(state, 900, model="gpt")
    settle(state, leave, 250)

    assert call(state, leave)["model"] == "gpt"


def test_a_call_about_no_lead_is_about_nobody(state: State):
    leave = reserve(state, 900)

    assert (call(state, leave)["user_id"], call(state, leave)["lead_id"]) == (ledger.NOBODY, None)


def test_a_call_is_settled_once(state: State):
    leave = reserve(state, 900)
    settle(state, leave, 250)
    known = call(state, leave)

    assert not settle(state, leave, 900, outcome="lost", error="late")
    assert not settle(state, leave, None, outcome="lost")
    assert call(state, leave) == known
    assert committed(state) == 250


def test_a_call_that_was_never_reserved_is_not_settled(state: State):
    assert not settle(state, Reserved("nobody's", NOW), 250)
    assert committed(state) == 0


def test_a_call_whose_cost_nobody_knows_stays_held_until_somebody_does(state: State):
    leave = reserve(state, 900)

    assert settle(state, leave, None, outcome="lost", error="no answer")
    assert (committed(state), call(state, leave)["settled_at"]) == (900, None)
    assert settle(state, leave, 0, outcome="unavailable", at=NOW + DAY)
    assert committed(state) == 0
    assert call(state, leave)["status"] == "unavailable"


def test_two_who_settle_a_call_at_once_count_its_cost_once(state: State, other_state: State):
    leaves = [reserve(state, 900) for _ in range(20)]
    told: list[bool] = []

    def run(own: State) -> None:
        told.extend(settle(own, leave, 250) for leave in leaves)

    in_threads(lambda: run(state), lambda: run(other_state))

    assert sorted(told) == [False] * 20 + [True] * 20
    assert committed(state) == 20 * 250


def test_what_a_dead_worker_had_under_way_is_lost_and_still_held(state: State):
    lead = take(state)
    dead, batched = reserve(state, 900, lead=lead), batch_of(state, 2)
    decoys = reserve(state, 100, at=NOW - timedelta(hours=2)), reserve(state, 100)

    lease(state, at=NOW + LEASE - SECOND)
    assert call(state, dead)["status"] == "reserved"
    [again] = lease(state, at=NOW + LEASE, only=lead.user_id)

    assert (call(state, dead)["status"], call(state, dead)["cost_micros"]) == ("lost", None)
    assert [call(state, each)["status"] for each in decoys] == ["lost", "reserved"]
    assert {each["status"] for each in batched} == {"reserved"}
    assert committed(state) == 900 + 2 * 100 + 1000
    assert settle(state, dead, 300, at=NOW + LEASE)
    assert call(state, dead)["status"] == "ok"
    assert committed(state) == 300 + 2 * 100 + 1000
    assert isinstance(reserve_any(state, 1, lead=again, at=NOW + LEASE), Reserved)


@pytest.mark.parametrize("is_renewed", [True, False])
def test_a_call_under_a_lease_that_is_kept_is_not_lost(state: State, is_renewed: bool):
    lead = take(state)
    leave = reserve(state, 900, lead=lead)
    if is_renewed:
        queue.renew(state, [lead.token], until=NOW + 2 * LEASE)

    lease(state, at=NOW + LEASE, only=person(9))

    assert call(state, leave)["status"] == ("reserved" if is_renewed else "lost")


def test_a_call_of_a_lead_that_was_cancelled_is_lost_until_its_worker_says_more(state: State):
    lead = take(state)
    leave = reserve(state, 900, lead=lead)
    queue.cancel(state, [lead.user_id], now=NOW)

    lease(state)

    assert call(state, leave)["status"] == "lost"
    assert settle(state, leave, 300)
    assert isinstance(reserve_any(state, 900, lead=lead), LeaseLost)


# --- caps


@pytest.mark.parametrize("caps", [(0.001, 1.0), (1.0, 0.001)], ids=["day", "month"])
def test_exactly_what_is_left_may_be_spent_and_no_more(state: State, caps: tuple[float, float]):
    limit = budget(*caps)
    settle(state, reserve(state, 900, limit=limit), 400)

    refused = reserve_any(state, 601, limit=limit)
    assert isinstance(refused, OverBudget)
    assert "$0.0006 left" in refused.reason
    assert isinstance(reserve_any(state, 600, limit=limit), Reserved)
    assert isinstance(reserve_any(state, 1, limit=limit), OverBudget)
    assert committed(state) == 1000


@pytest.mark.parametrize("caps", [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
def test_a_cap_of_nothing_lets_free_calls_through_alone(state: State, caps: tuple[float, float]):
    limit = budget(*caps)

    assert isinstance(reserve_any(state, 1, limit=limit), OverBudget)
    assert isinstance(reserve_any(state, 0, limit=limit), Reserved)
    assert budget_of(state, limit=limit).alert is None


def test_free_calls_pass_an_exhausted_budget(state: State):
    limit = budget(0.001, 1.0)
    reserve(state, 1000, limit=limit)

    assert isinstance(reserve_any(state, 0, limit=limit), Reserved)


def test_a_call_that_cost_more_than_it_could_counts_in_full(state: State):
    limit = budget(0.001, 1.0)
    settle(state, reserve(state, 900, limit=limit), 1500)

    refused = reserve_any(state, 1, limit=limit)
    assert isinstance(refused, OverBudget)
    assert "$0.0000 left" in refused.reason


def test_days_and_months_are_utc_ones(state: State):
    limit = budget(0.001, 0.0015)
    evening = datetime(2024, 7, 31, 23, 59, 59, tzinfo=UTC)
    elsewhere = evening.astimezone(UTC).replace(tzinfo=UTC) - DAY
    reserve(state, 800, at=elsewhere, limit=limit)

    assert isinstance(reserve_any(state, 800, at=evening, limit=limit), OverBudget)
    assert isinstance(reserve_any(state, 700, at=evening, limit=limit), Reserved)
    assert isinstance(reserve_any(state, 1, at=evening, limit=limit), OverBudget)
    assert isinstance(reserve_any(state, 800, at=evening + SECOND, limit=limit), Reserved)
    assert days(state) == {"2024-07-30": 800, "2024-07-31": 700, "2024-08-01": 800}


def test_a_call_is_paid_for_by_the_day_on_which_it_is_sent(state: State):
    limit = budget(0.001, 1.0)
    midnight = datetime(2024, 7, 11, tzinfo=UTC)
    slow = price(calls=1, per_seconds=10)
    reserve(state, 900, at=midnight, limit=limit)
    settle(state, reserve(state, 50, at=midnight - 2 * SECOND, limit=limit), 50)
    late = {"at": midnight - SECOND, "price": slow, "limit": limit}

    assert isinstance(reserve_any(state, 101, **late), OverBudget)
    waiting = reserve(state, 100, **late)
    assert waiting.call_at == midnight + 10 * SECOND
    assert days(state) == {"2024-07-10": 50, "2024-07-11": 1000}
    settle(state, waiting, 30, at=midnight + DAY)
    assert days(state) == {"2024-07-10": 50, "2024-07-11": 930}


def test_the_alert_names_the_first_cap_that_is_nearly_reached():
    assert Budget(799, 1000, 799, 2000, 0.8).alert is None
    assert Budget(800_000, 1_000_000, 0, 1, 0.8).alert == (
        "80% of the daily budget is spent or held: $0.80 of $1.00."
    )
    assert "monthly" in str(Budget(0, 1000, 1600, 2000, 0.8).alert)


def test_two_who_reserve_at_once_do_not_pass_a_cap(state: State, other_state: State):
    limit = budget(0.001, 1.0)
    told: list[ledger.Leave] = []

    def run(own: State) -> None:
        told.extend(reserve_any(own, 90, limit=limit) for _ in range(10))

    in_threads(lambda: run(state), lambda: run(other_state))

    assert [type(each) for each in told].count(Reserved) == 11
    assert committed(state) == 990


@dataclass(frozen=True)
class Act:
    """Something that somebody does with the ledger."""

    name: str
    amount: int
    which: int
    hours: int


acts = st.lists(
    st.builds(
        Act,
        st.sampled_from(["reserve"] * 4 + ["settle"] * 2 + ["lose", "bill", "assume", "batch"]),
        st.integers(0, 400),
        st.integers(0, 5),
        st.integers(0, 30),
    ),
    max_size=25,
)


@settings(max_examples=15, deadline=None, database=None)
@given(acts)
def test_caps_hold_and_days_add_up_whatever_happens_in_which_order(
    module_state: State, acts: list[Act]
):
    state = module_state
    empty(state)
    limit, now = budget(0.001, 0.0018), datetime(2024, 7, 30, tzinfo=UTC)
    leaves: list[Reserved] = []
    for act in acts:
        now += timedelta(hours=act.hours)
        leaf = leaves[act.which % len(leaves)] if leaves else None
        if act.name == "reserve":
            found = reserve_any(state, act.amount, at=now, limit=limit)
            leaves += [found] if isinstance(found, Reserved) else []
        elif act.name == "batch":
            batch_of(state, act.which, most=act.amount, at=now, limit=limit)
        elif leaf and act.name == "settle":
            settle(state, leaf, min(act.amount, call(state, leaf)["most_micros"]), at=now)
        elif leaf and act.name == "lose":
            settle(state, leaf, None, outcome="lost", at=now)
        elif leaf and act.name == "bill":
            cost = min(act.amount, call(state, leaf)["most_micros"])
            ledger.settle_by_bill(state, "openai", {leaf.call_id: cost}, before=now, now=now)
        elif leaf and act.name == "assume":
            ledger.settle_by_bill(state, "openai", None, before=now, now=now)

        held = days(state)
        assert held == added_up(state)
        assert all(spent <= 1000 for spent in held.values())
        assert all(spent <= 1800 for spent in by_month(held).values())


# --- the plan's rate


@pytest.mark.parametrize(
    ("calls", "share", "expected"),
    [(5, 0.8, [0, 0, 0, 0, 1, 1]), (1, 0.8, [0, 1, 2, 3, 4, 5]), (3, 0.7, [0, 0, 1, 1, 2, 2])],
)
def test_calls_take_their_turn_in_what_the_plan_allows(
    state: State, calls: int, share: float, expected: list[int]
):
    limit = ANY_BUDGET.model_copy(update={"rate_share": share})

    turns = [reserve(state, 1, price=price(calls=calls), limit=limit).call_at for _ in range(6)]

    assert [(turn - NOW) / SECOND for turn in turns] == expected


def test_a_turn_that_is_too_far_off_is_not_waited_for(state: State):
    slow = price(calls=1, per_seconds=20)
    assert [reserve(state, 1, price=slow).call_at for _ in range(2)] == [NOW, NOW + 20 * SECOND]

    assert reserve_any(state, 1, price=slow) == Later(NOW + 40 * SECOND)
    assert committed(state) == 2
    assert isinstance(reserve_any(state, 1, price=slow, at=NOW + 10 * SECOND), Reserved)


def test_each_provider_has_a_rate_of_its_own_and_batches_have_none(state: State):
    slow = price(calls=1, per_seconds=20)
    batch_of(state, 2)

    assert reserve(state, 1, price=slow).call_at == NOW
    assert reserve(state, 1, price=slow, provider="rapidapi").call_at == NOW


@settings(max_examples=15, deadline=None, database=None)
@given(
    st.integers(1, 6),
    st.sampled_from([0.2, 0.5, 0.8, 1.0]),
    st.lists(st.integers(-400, 2500), max_size=25),
)
def test_no_period_of_the_plan_sees_more_calls_than_it_may(
    module_state: State, calls: int, share: float, steps: list[int]
):
    empty(module_state)
    limit = ANY_BUDGET.model_copy(update={"rate_share": share})
    now, turns = NOW, []
    for milliseconds in steps:
        # Clocks of several machines differ a little.
        now += timedelta(milliseconds=milliseconds)
        leave = reserve_any(module_state, 1, price=price(calls=calls), at=now, limit=limit)
        if isinstance(leave, Reserved):
            assert leave.call_at >= now
            turns.append(leave.call_at)

    at_most = max(1, int(calls * share))
    for turn in turns:
        assert sum(turn <= each < turn + SECOND for each in turns) <= at_most


# --- providers that fail


@pytest.mark.parametrize("outcome", sorted(BROKEN))
def test_failures_in_a_row_trip_the_breaker_for_all(state: State, outcome: Outcome):
    for _ in range(BREAKER.failures - 1):
        note(state, outcome, "no answer")
    note(state, "invalid")
    for _ in range(BREAKER.failures - 1):
        note(state, outcome, "no answer")
    assert isinstance(reserve_any(state, 1), Reserved)

    note(state, outcome, "still no answer")

    assert reserve_any(state, 1) == Down("openai is down: still no answer")
    assert isinstance(reserve_any(state, 1, provider="rapidapi"), Reserved)


def test_after_the_pause_one_call_tries_it_and_a_success_lets_all_in_again(state: State):
    trip(state)
    later = NOW + PAUSE
    assert isinstance(reserve_any(state, 1, at=later - SECOND), Down)

    assert isinstance(reserve_any(state, 1, at=later), Reserved)
    assert isinstance(reserve_any(state, 1, at=later), Down)
    note(state, "ok", at=later)
    assert isinstance(reserve_any(state, 1, at=later), Reserved)
    note(state, "lost", at=later)
    assert isinstance(reserve_any(state, 1, at=later), Reserved)


def test_a_trial_that_fails_or_never_ends_leaves_it_down_for_another_pause(state: State):
    trip(state)
    reserve(state, 1, at=NOW + PAUSE)
    note(state, "unavailable", at=NOW + PAUSE + SECOND)

    assert isinstance(reserve_any(state, 1, at=NOW + 2 * PAUSE), Down)
    assert isinstance(reserve_any(state, 1, at=NOW + 2 * PAUSE + SECOND), Reserved)
    assert isinstance(reserve_any(state, 1, at=NOW + 3 * PAUSE), Down)
    assert isinstance(reserve_any(state, 1, at=NOW + 3 * PAUSE + SECOND), Reserved)


def test_a_breaker_may_trip_at_the_first_failure(state: State):
    hasty = BREAKER.model_copy(update={"failures": 1})
    note(state, "lost", limit=rules(breaker=hasty))

    assert isinstance(reserve_any(state, 1), Down)


def test_a_call_that_is_not_sent_is_no_trial(state: State):
    reserve(state, 1)
    trip(state)
    note(state, "rate_limited", wait=PAUSE.total_seconds() + 1)
    after = NOW + PAUSE + SECOND

    assert reserve_any(state, 1, at=NOW + PAUSE) == Later(after)
    assert isinstance(reserve_any(state, 1, at=after, limit=budget(0.0, 0.0)), OverBudget)
    slow = price(calls=1, per_seconds=1000)
    assert reserve_any(state, 1, at=after, price=slow) == Later(NOW + 1000 * SECOND)
    assert isinstance(reserve_any(state, 1, at=after), Reserved)
    assert isinstance(reserve_any(state, 1, at=after), Down)


@pytest.mark.parametrize("outcome", sorted(SHUT))
def test_an_account_that_cannot_pay_shuts_the_provider_for_longer(state: State, outcome: Outcome):
    note(state, outcome, "no money left")

    refused = reserve_any(state, 1)
    assert isinstance(refused, ledger.Shut)
    assert refused.reason.startswith("no money left It is not asked before 13:00 UTC: ")
    for _ in range(BREAKER.failures):
        note(state, "lost", "no answer")
    assert isinstance(reserve_any(state, 1, at=NOW + SHUT_FOR - SECOND), ledger.Shut)
    assert isinstance(reserve_any(state, 1, at=NOW + SHUT_FOR), Reserved)


def test_a_provider_that_was_mended_is_reopened(state: State):
    note(state, "key_refused", "the key is wrong")
    trip(state)
    note(state, "rate_limited", wait=100)
    ledger.reopen(state, "openai", rules=RULES)

    assert isinstance(reserve_any(state, 1), Reserved)
    with pytest.raises(UnknownName, match="did you mean 'openai'"):
        ledger.reopen(state, "opena", rules=RULES)


@pytest.mark.parametrize(("asked", "seconds"), [(None, 2), (0.0, 0), (7.5, 7.5), (300.0, 300)])
def test_a_provider_that_wants_a_pause_gets_it(state: State, asked: float | None, seconds: float):
    note(state, "rate_limited", wait=asked)
    until = NOW + timedelta(seconds=seconds)

    if seconds:
        assert reserve_any(state, 1) == Later(until)
        assert reserve_any(state, 1, at=until - SECOND / 1000) == Later(until)
    assert isinstance(reserve_any(state, 1, at=until), Reserved)


def test_no_other_reply_ends_a_pause_before_its_time(state: State):
    note(state, "rate_limited", wait=100)
    for outcome in ("ok", "invalid", "lost", "rate_limited"):
        note(state, outcome)  # type: ignore[arg-type]

    assert reserve_any(state, 1) == Later(NOW + 100 * SECOND)
    note(state, "rate_limited", wait=200)
    assert reserve_any(state, 1) == Later(NOW + 200 * SECOND)


def test_a_rate_limit_is_no_failure(state: State):
    for _ in range(BREAKER.failures):
        note(state, "rate_limited", wait=0)

    assert isinstance(reserve_any(state, 1), Reserved)


def test_how_each_provider_fares_is_told(state: State):
    settle(state, reserve(state, 900), 100)
    reserve(state, 200)
    settle(state, reserve(state, 50), None, outcome="lost")
    reserve(state, 1, provider="rapidapi")
    trip(state)

    with state.reading() as transaction:
        fares = ledger.health(transaction, now=NOW, rules=RULES)

    assert [each["provider"] for each in fares] == ["rapidapi", "perplexity", "openai"]
    rapidapi, _, openai = fares
    told = {name: openai[name] for name in ("is_down", "open_calls", "held_micros", "reason")}
    assert told == {"is_down": True, "open_calls": 2, "held_micros": 250, "reason": "no answer"}
    assert (openai["failures_in_a_row"], openai["down_until"]) == (BREAKER.failures, NOW + PAUSE)
    assert (rapidapi["is_down"], rapidapi["failures_in_a_row"]) == (False, 0)


# --- by the provider's bill


def test_a_bill_settles_what_nobody_knew(state: State):
    on_it, not_on_it, known = (lost(state, 900) for _ in range(3))
    settle(state, known, 5)
    under_way = reserve(state, 70)
    bill = {on_it.call_id: 300, known.call_id: 800, "somebody else's": 40}

    told = ledger.settle_by_bill(state, "openai", bill, before=NOW + DAY, now=NOW + DAY)

    assert told == {"billed": 1, "not_billed": 1, "micros": 300}
    assert [call(state, each)["cost_micros"] for each in (on_it, not_on_it, known)] == [300, 0, 5]
    assert call(state, under_way)["status"] == "reserved"
    assert committed(state) == 300 + 0 + 5 + 70
    again = ledger.settle_by_bill(state, "openai", None, before=NOW + DAY, now=NOW + DAY)
    assert again == {"billed": 0, "not_billed": 0, "micros": 0}


def test_without_a_bill_the_most_is_taken_to_be_billed(state: State):
    lost(state, 900)
    lost(state, 100)
    lost(state, 0)

    told = ledger.settle_by_bill(state, "openai", None, before=NOW + DAY, now=NOW + DAY)

    assert told == {"billed": 2, "not_billed": 1, "micros": 1000}
    assert committed(state) == 1000


def test_a_bill_says_nothing_of_calls_after_it_and_of_others(state: State):
    early, late = lost(state, 900), lost(state, 900, at=NOW + SECOND)
    other = lost(state, 900, provider="rapidapi")

    told = ledger.settle_by_bill(state, "openai", {}, before=NOW + SECOND, now=NOW + DAY)

    assert told == {"billed": 0, "not_billed": 1, "micros": 0}
    costs = [call(state, each)["cost_micros"] for each in (early, late, other)]
    assert costs == [0, None, None]


def test_a_bill_that_comes_late_is_paid_by_the_day_of_the_call(state: State):
    leave = lost(state, 900)

    ledger.settle_by_bill(state, "openai", {leave.call_id: 300}, before=NOW + DAY, now=NOW + DAY)

    assert days(state) == {"2024-07-10": 300}
    assert not settle(state, leave, 700)


def test_a_lead_costs_what_a_bill_says_later(state: State):
    lead = take(state)
    leave = reserve(state, 900, lead=lead)
    settle(state, leave, None, outcome="lost")
    finish(state, lead)
    assert row(state)["cost_micros"] == 0

    ledger.settle_by_bill(state, "openai", {leave.call_id: 300}, before=NOW + DAY, now=NOW + DAY)

    assert row(state)["cost_micros"] == 300


def test_a_lead_costs_what_calls_cost_that_outlived_it(state: State):
    lead = take(state)
    settle(state, reserve(state, 900, lead=lead), 300)
    under_way = reserve(state, 900, lead=lead)
    queue.cancel(state, [lead.user_id], now=NOW)
    assert row(state)["cost_micros"] == 300

    settle(state, under_way, 400)

    assert row(state)["cost_micros"] == 700


def test_a_bill_below_zero_or_of_nobody_we_asked_is_refused(state: State):
    with pytest.raises(BadValue, match="No call"):
        ledger.settle_by_bill(state, "openai", {}, before=NOW, now=NOW)
    leave = lost(state, 900)

    with pytest.raises(BadValue, match="0 or more"):
        ledger.settle_by_bill(state, "openai", {"any": -1}, before=NOW + DAY, now=NOW)
    with pytest.raises(UnknownName, match="openai"):
        ledger.settle_by_bill(state, "openia", {}, before=NOW + DAY, now=NOW)
    assert call(state, leave)["cost_micros"] is None


# --- batches


def test_a_batch_is_reserved_as_far_as_the_budget_goes(state: State):
    leads = [take(state, number) for number in range(4)]
    for lead in leads:
        wait(state, lead)
    limit = budget(0.001, 1.0)

    reserved, refusal = reserve_batch(state, leads, most=300, limit=limit)

    assert len(reserved) == 3
    assert "$0.0001 left, and a call may cost $0.0003" in str(refusal)
    assert committed(state) == 900
    held = rows(state, "select * from enrichment_call order by user_id")
    assert [each["user_id"] for each in held] == [person(number) for number in range(3)]
    assert {each["batch_key"] for each in held} == {"batch"}
    with state.reading() as transaction:
        assert [lead.user_id for lead in queue.waiting(transaction, 9)] == [person(3)]


def test_a_batch_leaves_out_who_waits_no_more_or_is_in_another(state: State):
    leads = [take(state, number) for number in range(3)]
    for lead in leads[:2]:
        wait(state, lead)
    reserve_batch(state, leads[:1], most=300)

    reserved, refusal = reserve_batch(state, leads, most=300, key="another")

    assert (len(reserved), refusal) == (1, None)
    assert committed(state) == 600
    assert reserve_batch(state, [], most=300) == ({}, None)


# --- helpers


def price(**changed: Any) -> ProviderPrice:
    return RULES.providers.openai.model_copy(update={"per_seconds": 1, **changed})


def reserve_any(
    state: State,
    most: int,
    *,
    lead: Lead | None = None,
    provider: str = "openai",
    price: ProviderPrice = FAST,
    model: str | None = None,
    at: datetime = NOW,
    limit: EnrichmentRules = ANY_BUDGET,
) -> ledger.Leave:
    request = Request({}, most, model)
    return ledger.reserve(state, lead, provider, price, request, now=at, rules=limit)


def reserve(state: State, most: int, **options: Any) -> Reserved:
    leave = reserve_any(state, most, **options)
    assert isinstance(leave, Reserved)
    return leave


def settle(
    state: State,
    leave: Reserved,
    cost: int | None,
    *,
    outcome: Outcome = "ok",
    at: datetime = NOW,
    **told: Any,
) -> bool:
    reply: Reply[Any] = Reply(outcome, cost, **told)
    with state.writing() as transaction:
        return ledger.settle(transaction, leave.call_id, reply, latency_ms=12, now=at)


def lost(state: State, most: int, **options: Any) -> Reserved:
    leave = reserve(state, most, **options)
    settle(state, leave, None, outcome="lost")
    return leave


def note(
    state: State,
    outcome: Outcome,
    error: str | None = None,
    *,
    wait: float | None = None,
    at: datetime = NOW,
    limit: EnrichmentRules = RULES,
) -> None:
    reply: Reply[Any] = Reply(outcome, 0, error=error, retry_after_seconds=wait)
    with state.writing() as transaction:
        ledger.note_health(transaction, "openai", reply, now=at, rules=limit)


def trip(state: State) -> None:
    for _ in range(BREAKER.failures):
        note(state, "unavailable", "no answer")


def reserve_batch(
    state: State,
    leads: Sequence[Lead],
    *,
    most: int,
    key: str = "batch",
    at: datetime = NOW,
    limit: EnrichmentRules = ANY_BUDGET,
) -> tuple[dict[str, Request], str | None]:
    requests = {lead.lead_id: Request({}, most) for lead in leads}
    with state.writing() as transaction:
        return ledger.reserve_batch(transaction, requests, key, "openai", now=at, rules=limit)


def batch_of(
    state: State, leads: int, *, most: int = 500, at: datetime = NOW, limit: Any = ANY_BUDGET
) -> list[dict[str, Any]]:
    """The calls of a batch with so many new leads, as far as the budget goes."""
    first = random.randrange(10**9)
    numbers = range(first, first + leads)
    put(state, *(new(number) for number in numbers))
    held = [lease(state, only=person(number))[0] for number in numbers]
    for lead in held:
        wait(state, lead)
    key = f"batch-{first}"
    reserve_batch(state, held, most=most, key=key, at=at, limit=limit)
    return rows(state, "select * from enrichment_call where batch_key = :key", key=key)


def call(state: State, leave: Reserved) -> dict[str, Any]:
    query = "select * from enrichment_call where call_id = :id"
    [found] = rows(state, query, id=leave.call_id)
    return found


def days(state: State) -> dict[str, int]:
    """What is spent and held, by UTC day, where that is anything."""
    query = "select * from enrichment_day where committed_micros <> 0 order by day"
    return {each["day"]: int(each["committed_micros"]) for each in rows(state, query)}


def committed(state: State) -> int:
    return sum(days(state).values())


def added_up(state: State) -> dict[str, int]:
    """The same, from the calls themselves."""
    sums: dict[str, int] = {}
    for each in rows(state, "select * from enrichment_call order by called_at"):
        cost = each["most_micros"] if each["cost_micros"] is None else each["cost_micros"]
        day = str(each["called_at"])[:10]
        sums[day] = sums.get(day, 0) + int(cost)
    return {day: spent for day, spent in sums.items() if spent}


def by_month(spent: dict[str, int]) -> dict[str, int]:
    months: dict[str, int] = {}
    for day, micros in spent.items():
        months[day[:7]] = months.get(day[:7], 0) + micros
    return months


def budget_of(state: State, *, limit: EnrichmentRules) -> Budget:
    with state.reading() as transaction:
        return ledger.budget(transaction, now=NOW, rules=limit)


def in_threads(*jobs: Callable[[], None]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
