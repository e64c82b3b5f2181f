"""The queue of leads: who waits, who is being worked on, who is through.

    pending → processing → completed
                        ↘ failed → (retry) … → failed_permanent     waiting: for a batch

A worker takes a lead under a lease: a token with an end, which the worker keeps moving. Every write
about the lead names the token, so that a worker that was thought dead changes nothing any more. A
lease that ran out returns the lead to the queue; the try that it was counts, so that a lead that
kills its workers ends as a dead letter.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from mi_core.definitions import EnrichmentRules
from mi_core.enrichment import queue_sql as sql
from mi_core.enrichment import steps
from mi_core.state import QUEUE_KEY, Row, State, Transaction, moment

STATUSES = (
    "pending",
    "processing",
    "waiting",
    "failed",
    "completed",
    "failed_permanent",
    "cancelled",
)


@dataclass(frozen=True, slots=True)
class NewLead:
    """A person to enrich; one with an `error` goes straight to the dead letters.

    `reopens`: also where the lead is dead, for which an event is no reason. `again`: also where it
    was cancelled, as by somebody who withheld their consent. `known_as`: the hashes under each key
    of the id and the address, for which the person may have been forgotten.
    """

    user_id: str
    trigger: str
    email_hash: str | None = None
    email_domain: str | None = None
    name_hash: str | None = None
    email_encrypted: str | None = None
    for_batch: bool = False
    reopens: bool = True
    again: bool = False
    error: str | None = None
    known_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead under a lease; a partial one was completed before, and is tried for what it lacks."""

    user_id: str
    lead_id: str
    token: str
    tries: int
    for_batch: bool
    is_partial: bool
    email_hash: str
    email_domain: str
    name_hash: str | None
    email_encrypted: str | None
    trigger: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a lead's steps gave, all together."""

    status: str
    is_partial: bool = False
    error: str | None = None
    social_profiles: dict[str, Any] | None = None
    company: Row | None = None


def put(
    state: State, leads: Iterable[NewLead], *, now: datetime, rules: EnrichmentRules
) -> dict[str, str]:
    """Queue leads; returns by user_id what became of each.

    `queued`, or the status of a lead that is left alone: one that waits or is being worked on, and
    one that is `completed` with this address so lately that asking again would tell nothing new.
    `erased`: the person or the address was forgotten, and nothing is kept of them.
    The last of several leads of one person counts, and one with an error only where all have one.
    """
    by_person = {lead.user_id: lead for lead in sorted(leads, key=lambda lead: not lead.error)}
    stale = now - timedelta(days=rules.result_days)
    with state.writing() as transaction:
        transaction.one_at_a_time(QUEUE_KEY)
        erased = _erased(transaction, by_person)
        incoming = [_row(lead) for user_id, lead in by_person.items() if user_id not in erased]
        for statement in sql.STAGE:
            transaction.change(statement)
        transaction.change_each(sql.INCOMING, incoming)
        for statement in sql.PUT:
            transaction.change(statement, now=now, stale=stale)
        became = transaction.rows(sql.BECAME, now=now)
        transaction.change("drop table incoming_lead")
    return {row["user_id"]: row["became"] for row in became} | dict.fromkeys(erased, "erased")


def _erased(transaction: Transaction, leads: Mapping[str, NewLead]) -> set[str]:
    """Those of the people, by user_id, who were forgotten themselves or by their address."""
    if not transaction.rows("select 1 from erased_id limit 1"):
        return set()
    hashes = {each for user_id, lead in leads.items() for each in (user_id, *lead.known_as)}
    erased = transaction.known("erased_id", "id_hash", sorted(hashes))
    return {
        user_id
        for user_id, lead in leads.items()
        if not erased.isdisjoint((user_id, *lead.known_as))
    }


def _row(lead: NewLead) -> dict[str, object]:
    return {
        "user_id": lead.user_id,
        "lead_id": str(uuid4()),
        "status": "failed_permanent" if lead.error else "pending",
        "trigger_event": lead.trigger,
        "email_hash": lead.email_hash,
        "email_domain": lead.email_domain,
        "name_hash": lead.name_hash,
        "email_encrypted": lead.email_encrypted,
        "for_batch": int(lead.for_batch),
        "reopens": int(lead.reopens),
        "again": int(lead.again),
        "error": lead.error,
    }


def lease(
    state: State, most: int, *, now: datetime, rules: EnrichmentRules, only: str | None = None
) -> list[Lead]:
    """Up to `most` leads that are due, each under a lease of its own; or `only` that person's.

    What was under way for a lead whose worker died may have been billed: it stays held.
    """
    until = now + timedelta(seconds=rules.lease_seconds)
    taken: list[Lead] = []
    with state.writing() as transaction:
        transaction.one_at_a_time(QUEUE_KEY)
        transaction.change(sql.ORPHAN_CALLS, now=now, long_ago=now - timedelta(hours=1))
        transaction.change(sql.BURY_EXPIRED, now=now, tries=rules.tries)
        transaction.change(sql.RETURN_EXPIRED, now=now)
        while len(taken) < most:
            query = sql.LEASE.format(skip_locked=transaction.skip_locked)
            token = str(uuid4())
            found = transaction.rows(query, now=now, until=until, token=token, only=only)
            if not found:
                break
            taken.append(_lead(found[0]))
    return taken


def renew(state: State, tokens: Sequence[str], *, until: datetime) -> None:
    """Move the end of leases; those that were lost stay lost."""
    with state.writing() as transaction:
        transaction.one_at_a_time(QUEUE_KEY)
        renewal = "update user_identity set lease_expires_at = :until where lease_token = :token"
        transaction.change_each(renewal, [{"until": until, "token": each} for each in tokens])


def is_held(transaction: Transaction, token: str) -> bool:
    """Whether the lease is still ours; it is then for the rest of the transaction."""
    return transaction.change(sql.TOUCH, token=token) == 1


def give_back(state: State, lead: Lead, *, due: datetime | None = None) -> None:
    """Return a lead to the queue as it was; the try doesn't count."""
    with state.writing() as transaction:
        transaction.change(sql.GIVE_BACK, token=lead.token, due=due)


def fail(transaction: Transaction, lead: Lead, error: str, *, due: datetime) -> bool:
    """Let a lead be tried again from `due` on; false where the lease was lost."""
    return transaction.change(sql.FAIL, token=lead.token, error=error, due=due) == 1


def wait(transaction: Transaction, lead: Lead) -> bool:
    """Let a lead wait for its batch, under no lease; false where the lease was lost."""
    return transaction.change(sql.WAIT, token=lead.token) == 1


def waiting(transaction: Transaction, most: int) -> list[Lead]:
    """Leads that wait for a batch and are in none; nobody holds them."""
    return [_lead(row | {"token": ""}) for row in transaction.rows(sql.WAITING, most=most)]


def lease_waiting(
    transaction: Transaction, lead_id: str, *, now: datetime, rules: EnrichmentRules
) -> Lead | None:
    """A waiting lead under a lease, to end it; None where it waits no more."""
    until = now + timedelta(seconds=rules.lease_seconds)
    found = transaction.rows(sql.LEASE_WAITING, lead_id=lead_id, token=str(uuid4()), until=until)
    return _lead(found[0]) if found else None


def leave_batch(transaction: Transaction, lead_id: str) -> None:
    """Let a waiting lead be asked about alone."""
    transaction.change(sql.LEAVE_BATCH, lead_id=lead_id)


def leave_batches(state: State) -> None:
    """Let the leads that wait for a batch, and are in none, be asked about alone."""
    with state.writing() as transaction:
        transaction.one_at_a_time(QUEUE_KEY)
        for row in transaction.rows(sql.WAITING, most=1_000_000):
            leave_batch(transaction, row["lead_id"])


def _lead(row: dict[str, Any]) -> Lead:
    return Lead(**row | {name: bool(row[name]) for name in ("for_batch", "is_partial")})


def finish(transaction: Transaction, lead: Lead, finding: Finding, *, now: datetime) -> bool:
    """End a lead, with what was found; false where the lease was lost.

    The address goes, except that of a dead letter: it may be tried again.
    """
    company = finding.company or {}
    profiles = finding.social_profiles
    changed = transaction.change(
        sql.FINISH,
        token=lead.token,
        now=now,
        status=finding.status,
        is_partial=int(finding.is_partial),
        error=finding.error,
        social_profiles=json.dumps(profiles, sort_keys=True) if profiles else None,
        **{f"company_{name}": company.get(name) for name in COMPANY_COLUMNS},
    )
    return changed == 1


COMPANY_COLUMNS = ("name", "domain", "industry", "size", "location")


def cancel(state: State, user_ids: Sequence[str], *, now: datetime) -> int:
    """Take leads out of the queue; one that is being worked on is let finish its calls.

    Its worker finds the lease gone, and writes nothing more about the lead.
    """
    with state.writing() as transaction:
        transaction.one_at_a_time(QUEUE_KEY)
        return sum(transaction.change(sql.CANCEL, user_id=each, now=now) for each in user_ids)


def retry(state: State, *, now: datetime, partial: bool, user_id: str | None = None) -> int:
    """Queue dead letters again, or with `partial` leads that lack a step; returns how many.

    What was paid for stays paid for. Profiles are not looked for without the address: a lead that
    lacks them alone is left as it is.
    """
    again = sql.RETRY_PARTIAL if partial else sql.RETRY
    with state.writing() as transaction:
        transaction.one_at_a_time(QUEUE_KEY)
        queued = transaction.change(again, user_id=user_id, now=now)
        transaction.change(sql.FORGET_UNPAID_STEPS, now=now)
    return queued


def erase_waiting(state: State, *, before: datetime) -> int:
    """Erase the addresses of dead letters that nobody tried again; returns how many."""
    with state.writing() as transaction:
        transaction.one_at_a_time(QUEUE_KEY)
        return transaction.change(sql.ERASE_WAITING, before=before)


def count_due(state: State, *, now: datetime) -> int:
    """How many leads a worker could take now."""
    with state.reading() as transaction:
        return int(transaction.rows(sql.COUNT_DUE, now=now)[0]["due"])


def count(transaction: Transaction) -> dict[str, int]:
    """How many leads have each status."""
    query = "select status, count(*) as leads from user_identity group by status"
    found = {row["status"]: int(row["leads"]) for row in transaction.rows(query)}
    return {status: found.get(status, 0) for status in STATUSES}


def describe(state: State, user_id: str) -> Row | None:
    """All that is known of a person's lead, with its steps and calls; None where there is none."""
    with state.reading() as transaction:
        found = transaction.rows(sql.LEAD, user_id=user_id)
        if not found:
            return None
        lead = found[0]
        done = steps.read(transaction, lead["lead_id"])
        calls = transaction.rows(sql.CALLS_OF, lead_id=lead["lead_id"])
    profiles = lead.pop("social_profiles")
    return {
        **lead,
        "is_partial": bool(lead["is_partial"]),
        **{name: moment(lead[name]) for name in ("queued_at", "next_try_at", "enriched_at")},
        "social_profiles": json.loads(profiles) if profiles else {},
        "steps": [asdict(each) for each in done.values()],
        "calls": [call | {"called_at": moment(call["called_at"])} for call in calls],
    }
