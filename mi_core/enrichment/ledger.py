"""The ledger: no call without a reservation, no cost written down twice.

A call is reserved before it is sent, for the most that it can cost, and settled with what it did
cost. Until then it counts against the caps in full: so they are not passed, however many workers
there are. A reservation also waits for its turn in the provider's rate, and is refused while the
provider is down: all workers see the same rows.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from mi_core.definitions import EnrichmentRules, ProviderPrice, micros
from mi_core.enrichment import ledger_sql as sql
from mi_core.enrichment.calls import BROKEN, SHUT, Reply, Request
from mi_core.enrichment.leave import (
    Budget,
    Down,
    Later,
    LeaseLost,
    Leave,
    OverBudget,
    Reserved,
    Shut,
)
from mi_core.enrichment.queue import Lead, is_held
from mi_core.errors import BadValue, UnknownName
from mi_core.state import LEDGER_KEY, Row, State, Transaction, moment

NOBODY = "00000000-0000-0000-0000-000000000000"
"""Whom a call is about that is about no lead, such as a decoy's."""

LONGEST_WAIT = timedelta(seconds=30)
"""A turn that is further away isn't waited for: the lead goes back into the queue."""


def reserve(
    state: State,
    lead: Lead | None,
    provider: str,
    price: ProviderPrice,
    request: Request,
    *,
    now: datetime,
    rules: EnrichmentRules,
) -> Leave:
    """Ask for leave to send a call; everything that speaks against it is looked at in one go."""
    with state.writing() as transaction:
        transaction.one_at_a_time(LEDGER_KEY)
        if lead and not is_held(transaction, lead.token):
            return LeaseLost()
        refused = _refusal(transaction, provider, now)
        if refused is not None:
            return refused
        call_at = _next_turn(transaction, provider, price, now, rules)
        # The day on which it is sent pays.
        if over := budget(transaction, now=call_at, rules=rules).refusal(request.most_micros):
            return OverBudget(over)
        if call_at > now + LONGEST_WAIT:
            return Later(call_at)
        # Where it was down, this one call tries it; for the others it stays down until then.
        again = now + timedelta(seconds=rules.breaker.pause_seconds)
        transaction.change(sql.STAY_DOWN, provider=provider, until=again)
        reserved = Reserved(str(uuid4()), call_at)
        transaction.change(
            sql.RESERVE,
            call_id=reserved.call_id,
            nobody=NOBODY,
            lead_id=lead.lead_id if lead else None,
            step=price.step,
            provider=provider,
            model=request.model,
            most=request.most_micros,
            called_at=call_at,
        )
        transaction.change(sql.COMMIT, day=_day(call_at), micros=request.most_micros)
        return reserved


def reserve_batch(
    transaction: Transaction,
    requests: Mapping[str, Request],
    batch_key: str,
    provider: str,
    *,
    now: datetime,
    rules: EnrichmentRules,
) -> tuple[dict[str, Request], str | None]:
    """Reserve a batch's calls, of leads by their ids, as far as the budget goes.

    Returns the calls by their ids, and why there aren't more, if there aren't. Leads that wait no
    more, or are in another batch by now, are left out.
    """
    transaction.one_at_a_time(LEDGER_KEY)
    spent = budget(transaction, now=now, rules=rules)
    reserved: dict[str, Request] = {}
    total, refusal = 0, None
    for lead_id, request in requests.items():
        refusal = spent.plus(total).refusal(request.most_micros)
        if refusal:
            break
        call_id = str(uuid4())
        if transaction.change(
            sql.RESERVE_WAITING,
            call_id=call_id,
            lead_id=lead_id,
            provider=provider,
            model=request.model,
            most=request.most_micros,
            batch_key=batch_key,
            called_at=now,
        ):
            reserved[call_id] = request
            total += request.most_micros
    transaction.change(sql.COMMIT, day=_day(now), micros=total)
    return reserved, refusal


def _refusal(transaction: Transaction, provider: str, now: datetime) -> Later | Down | Shut | None:
    found = transaction.rows(sql.PROVIDER, provider=provider)
    if not found:
        return None
    [row] = found
    down_until, paused_until = moment(row["down_until"]), moment(row["paused_until"])
    shut_until = moment(row["shut_until"])
    if shut_until and shut_until > now:
        return Shut(shut_sentence(provider, row["reason"], shut_until))
    if down_until and down_until > now:
        return Down(f"{provider} is down: {row['reason']}")
    if paused_until and paused_until > now:
        return Later(paused_until)
    return None


def _next_turn(
    transaction: Transaction,
    provider: str,
    price: ProviderPrice,
    now: datetime,
    rules: EnrichmentRules,
) -> datetime:
    """The first moment from which no period of the plan sees more calls than it may."""
    at_most = max(1, int(price.calls * rules.rate_share))
    earlier = transaction.rows(sql.EARLIER_CALL, provider=provider, back=at_most - 1)
    if not earlier:
        return now
    at = moment(earlier[0]["called_at"])
    return max(now, at + timedelta(seconds=price.per_seconds)) if at else now


def settle(
    transaction: Transaction,
    call_id: str,
    reply: Reply[Any],
    *,
    latency_ms: int | None,
    now: datetime,
) -> bool:
    """Write down how a call ended and what it cost; false where that is known already."""
    transaction.one_at_a_time(LEDGER_KEY)
    return _close(
        transaction,
        call_id,
        reply.cost_micros,
        now=now,
        status=reply.outcome,
        error=reply.error,
        model=reply.model,
        input_tokens=reply.input_tokens,
        output_tokens=reply.output_tokens,
        request_id=reply.request_id,
        latency_ms=latency_ms,
    )


def release(state: State, lead: Lead, call_id: str, *, now: datetime) -> bool:
    """Let go of a call that wasn't sent, if the lead isn't ours any more; tells whether it did."""
    never: Reply[Any] = Reply("unavailable", 0, error="The lead was given to somebody else.")
    with state.writing() as transaction:
        transaction.one_at_a_time(LEDGER_KEY)
        if is_held(transaction, lead.token):
            return False
        return settle(transaction, call_id, never, latency_ms=None, now=now)


def note_cached(
    transaction: Transaction, lead: Lead, step: str, provider: str, *, now: datetime
) -> None:
    """Write down an answer that a cache gave in a provider's place."""
    transaction.change(
        sql.CACHED,
        call_id=str(uuid4()),
        lead_id=lead.lead_id,
        step=step,
        provider=provider,
        now=now,
    )


def note_health(
    transaction: Transaction,
    provider: str,
    reply: Reply[Any],
    *,
    now: datetime,
    rules: EnrichmentRules,
) -> None:
    """Let all workers know how the provider fares: the breaker, and pauses that it asks for."""
    breaker = rules.breaker
    pause = timedelta(seconds=breaker.pause_seconds)
    if reply.outcome in SHUT:
        shut = now + timedelta(seconds=breaker.shut_seconds)
        transaction.change(sql.SHUT, provider=provider, until=shut, reason=reply.error)
    elif reply.outcome in BROKEN:
        transaction.change(
            sql.FAILED,
            provider=provider,
            until=now + pause,
            first=now + pause if breaker.failures == 1 else None,
            most=breaker.failures,
            reason=reply.error,
        )
    elif reply.outcome == "rate_limited":
        asked = reply.retry_after_seconds
        wait = pause / 30 if asked is None else timedelta(seconds=asked)
        transaction.change(sql.PAUSE, provider=provider, until=now + wait)
    else:
        transaction.change(sql.WELL, provider=provider)


def budget(transaction: Transaction, *, now: datetime, rules: EnrichmentRules) -> Budget:
    """What is spent and held of the caps on the UTC day and month of `now`."""
    today = _day(now)
    [row] = transaction.rows(sql.COMMITTED, day=today, month=f"{today[:7]}%")
    caps = rules.budget
    return Budget(
        int(row["day_micros"]),
        micros(caps.daily_usd),
        int(row["month_micros"]),
        micros(caps.monthly_usd),
        caps.alert_share,
    )


def settle_by_bill(
    state: State, provider: str, bill: Mapping[str, int] | None, *, before: datetime, now: datetime
) -> dict[str, int]:
    """Settle calls of unknown cost by the provider's bill: call id → millionths of a dollar.

    The bill holds all calls made before `before`: one that isn't on it cost nothing. Without a
    bill, each is taken to have cost the most that it can. Calls whose cost is known stay.

    Returns
    -------
    dict
        How many calls were `billed`, `not_billed`, and the `micros` of the billed ones.

    Raises
    ------
    UnknownName
        No call of that provider is in the ledger.
    BadValue
        The bill has an amount below zero, or calls of somebody else alone.
    """
    for call_id, cost in (bill or {}).items():
        if cost < 0:
            raise BadValue(f"The bill has {cost} for call {call_id}; it is 0 or more.")
    billed = not_billed = total = 0
    with state.writing() as transaction:
        transaction.one_at_a_time(LEDGER_KEY)
        known = [row["provider"] for row in transaction.rows(sql.PROVIDERS)]
        if not known:
            raise BadValue("No call was ever made, so there is nothing to settle.")
        if provider not in known:
            raise UnknownName("provider in the ledger", provider, known)
        _check_bill(transaction, provider, bill)
        for row in transaction.rows(sql.UNKNOWN, provider=provider, before=before):
            cost = int(row["most_micros"]) if bill is None else bill.get(row["call_id"], 0)
            told = {"status": row["status"], "error": row["error"]}
            _close(transaction, row["call_id"], cost, now=now, **told)
            total += cost
            billed, not_billed = billed + (cost > 0), not_billed + (cost == 0)
    return {"billed": billed, "not_billed": not_billed, "micros": total}


def shut_sentence(provider: str, reason: str | None, until: datetime) -> str:
    """What to say and do where a provider's account can't be used."""
    return (
        f"{reason or provider} It is not asked before {until:%H:%M} UTC: mend the account, then"
        f" mi enrich reopen {provider}; or unset its key to go on without it."
    )


def reopen(state: State, provider: str, *, rules: EnrichmentRules) -> None:
    """Let a provider be asked again at once.

    Raises
    ------
    UnknownName
        There is no such provider.
    """
    names = [name for name, _ in rules.providers]
    if provider not in names:
        raise UnknownName("provider", provider, names)
    with state.writing() as transaction:
        transaction.change(sql.REOPEN, provider=provider)


def _check_bill(transaction: Transaction, provider: str, bill: Mapping[str, int] | None) -> None:
    """Refuse a bill that is about other calls than ours: all of ours would seem to be free."""
    query = "select 1 from enrichment_call where call_id = :call_id and provider = :provider"
    is_ours = (transaction.rows(query, call_id=each, provider=provider) for each in bill or {})
    if bill and not any(is_ours):
        raise BadValue(f"None of the {len(bill):,} calls on the bill is one of ours to {provider}.")


def health(
    transaction: Transaction, *, now: datetime, rules: EnrichmentRules
) -> list[dict[str, Any]]:
    """How each provider fares, and what it may still bill, in millionths."""
    known = {row["provider"]: row for row in transaction.rows(sql.HEALTH)}
    held = {row["provider"]: row for row in transaction.rows(sql.OPEN)}
    return [
        _health(name, known.get(name, {}), held.get(name, {}), now) for name, _ in rules.providers
    ]


def _health(provider: str, row: Row, held: Row, now: datetime) -> dict[str, Any]:
    return {
        "provider": provider,
        "is_down": _is_ahead(row.get("down_until"), now),
        "is_shut": _is_ahead(row.get("shut_until"), now),
        "shut_until": moment(row.get("shut_until")),
        "down_until": moment(row.get("down_until")),
        "paused_until": moment(row.get("paused_until")),
        "reason": row.get("reason"),
        "failures_in_a_row": int(row.get("failures", 0)),
        "open_calls": int(held.get("open_calls", 0)),
        "held_micros": int(held.get("held_micros", 0)),
    }


def _is_ahead(at: object, now: datetime) -> bool:
    until = moment(at)  # type: ignore[arg-type]
    return until is not None and until > now


def _close(
    transaction: Transaction, call_id: str, cost: int | None, *, now: datetime, **told: Any
) -> bool:
    """Write down a call's end once; the day on which it was made pays."""
    found = transaction.rows(sql.OPEN_CALL, call_id=call_id)
    if not found:
        return False
    kept = {name: None for name in sql.TOLD} | told
    settled_at = None if cost is None else now
    if not transaction.change(sql.SETTLE, call_id=call_id, cost=cost, at=settled_at, **kept):
        return False
    if cost is not None:
        at = moment(found[0]["called_at"]) or now
        transaction.change(sql.COMMIT, day=_day(at), micros=cost - int(found[0]["most_micros"]))
        transaction.change(sql.COST_OF_ENDED, user_id=found[0]["user_id"])
    return True


def _day(at: datetime) -> str:
    day: date = at.astimezone(UTC).date()
    return day.isoformat()
