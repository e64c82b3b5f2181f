"""Personas of a backfill by OpenAI's batches: half the price, within a day.

A batch's calls are reserved, and the batch is written down, before anything is sent. After a crash
the batch is found by its key, or, where there is none, its calls are let go: so none is paid twice.
A batch of which nothing is heard has an end too: its calls stay held, and its leads are asked about
alone.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from mi_core.enrichment import finishing, ledger, queue, steps
from mi_core.enrichment.calls import AGAIN, PersonaAnswer, Reply, Request
from mi_core.enrichment.providers.openai_batch import BatchState, PersonaBatch
from mi_core.enrichment.queue import Lead
from mi_core.enrichment.steps import StepResult
from mi_core.enrichment.worker import Worker
from mi_core.state import Row, State, Transaction, moment

log = logging.getLogger(__name__)

_UNDER_WAY = timedelta(minutes=10)
"""How long a batch may be about to be sent; then its sender has died."""
_PAUSE = timedelta(hours=1)
"""From a batch that came to nothing to the next one."""
_OVERDUE = timedelta(days=3)
"""How long the end of a batch is waited for, which comes within a day."""
_UNHEARD = timedelta(days=10)
"""The same, where OpenAI could not be asked: by then a batch may have ended well."""

_OPEN = """
select batch_key, provider_batch_id, created_at
from enrichment_batch
where status in ('creating', 'submitted')
order by created_at, batch_key
"""
_CREATING = """
insert into enrichment_batch (batch_key, status, created_at) values (:key, 'creating', :now)
"""
_OVERDUE_BATCHES = """
select batch_key
from enrichment_batch
where status in ('creating', 'submitted') and created_at < :before
order by created_at, batch_key
"""
_SUBMITTED = """
update enrichment_batch
set status = 'submitted', provider_batch_id = :batch_id
where batch_key = :key and status = 'creating'
"""
_ENDED = """
update enrichment_batch
set status = :status
where batch_key = :key and status in ('creating', 'submitted')
"""
_FAILED = """
update enrichment_batch
set status = 'failed'
where batch_key = :key and status = :was
"""
_CAME_TO_NOTHING = "select max(created_at) as last_at from enrichment_batch where status = 'failed'"
_CALLS = """
select call_id, lead_id
from enrichment_call
where batch_key = :key and status = 'reserved'
order by call_id
"""
_UNDER_WAY_CALLS = """
select count(*) as calls
from enrichment_call
where batch_key is not null and status = 'reserved'
"""
_IN_VAIN = """
select c.lead_id
from enrichment_call as c
join enrichment_batch as b on b.batch_key = c.batch_key
where
    b.status = 'failed'
    and c.lead_id in (select own.lead_id from enrichment_call as own where own.batch_key = :key)
group by c.lead_id
having count(*) >= :tries
"""


@dataclass
class Batched:
    """What became of batches: leads sent off, leads completed, and what stands in the way.

    `under_way` counts the calls of all batches that have not been taken in.
    """

    sent: int = 0
    completed: int = 0
    under_way: int = 0
    error: str | None = None


@dataclass
class Batches:
    """Sends waiting leads off in a batch, and takes in what comes back."""

    worker: Worker
    provider: PersonaBatch

    def __post_init__(self) -> None:
        self.batched = Batched()

    @property
    def state(self) -> State:
        return self.worker.state

    def _note(self, error: str | None) -> None:
        """Keep what stands in the way, once."""
        known = self.batched.error.split("; ") if self.batched.error else []
        if error and error not in known:
            self.batched.error = "; ".join([*known, error])

    def _count(self) -> None:
        with self.state.reading() as transaction:
            self.batched.under_way = int(transaction.rows(_UNDER_WAY_CALLS)[0]["calls"])

    # --- sending

    async def send(self) -> None:
        """Put the leads that wait for one into a batch, as far as the plan and the budget go."""
        with self.state.reading() as transaction:
            leads = queue.waiting(transaction, self._most)
            last = moment(transaction.rows(_CAME_TO_NOTHING)[0]["last_at"])
        # What another worker has sent since then counts too.
        self._count()
        leads = leads and self._with_room(leads)
        if leads and last and last + _PAUSE > self.worker.clock():
            again = last + _PAUSE
            self._note(f"The last batch came to nothing; the next goes at {again:%H:%M} UTC.")
        elif leads:
            await self._sent(self._requests(leads))
        self._count()

    @property
    def _most(self) -> int:
        return self.worker.rules.providers.openai.batch_calls

    def _with_room(self, leads: list[Lead]) -> list[Lead]:
        """As many of the leads as may be under way beside those that are."""
        room = max(0, self._most - self.batched.under_way)
        if not room:
            self._note(f"{self.batched.under_way} calls of batches are under way; no more may be.")
        return leads[:room]

    async def _sent(self, requests: Mapping[str, Request]) -> None:
        key, now = str(uuid4()), self.worker.clock()
        with self.state.writing() as transaction:
            reserved, refusal = ledger.reserve_batch(
                transaction, requests, key, self.provider.name, now=now, rules=self.worker.rules
            )
            if reserved:
                transaction.change(_CREATING, key=key, now=now)
        self._note(refusal)
        if reserved:
            reply = await self.provider.submit(reserved, key)
            self._note_sent(key, reply, len(reserved))

    def _requests(self, leads: list[Lead]) -> dict[str, Request]:
        """The call for each lead, by lead id; one that can't be made is left to a worker."""
        behaviors = self.worker.behaviors([lead.user_id for lead in leads])
        requests, unfit = {}, []
        for lead in leads:
            try:
                case = self.worker.case(lead, behaviors.get(lead.user_id))
            except Exception:
                # Such as an address that is encrypted under a lost key.
                log.exception("lead %s", lead.lead_id)
                unfit.append(lead.lead_id)
                continue
            requests[lead.lead_id] = self.provider.request(self.worker.steps.question_of(case))
        self._leave(unfit)
        return requests

    def _leave(self, lead_ids: Iterable[str]) -> None:
        with self.state.writing() as transaction:
            for lead_id in lead_ids:
                queue.leave_batch(transaction, lead_id)

    def _note_sent(self, key: str, reply: Reply[str], calls: int) -> None:
        with self.state.writing() as transaction:
            if reply.outcome == "ok" and reply.answer:
                if transaction.change(_SUBMITTED, key=key, batch_id=reply.answer):
                    self.batched.sent += calls
                else:
                    self._note("A batch was sent so late that it had been given up; it may cost.")
                return
            self._note(reply.error)
            if reply.cost_micros == 0:
                self._let_go(transaction, key, reply.error, was="creating")

    def _let_go(self, transaction: Transaction, key: str, error: str | None, *, was: str) -> None:
        """A batch that was never made or never begun costs nothing; its leads wait for the next.

        Those that waited in vain as often as a lead is tried are asked about alone.
        """
        now = self.worker.clock()
        if not transaction.change(_FAILED, key=key, was=was):
            return
        nothing: Reply[PersonaAnswer] = Reply("unavailable", 0, error=error)
        for row in transaction.rows(_CALLS, key=key):
            ledger.settle(transaction, row["call_id"], nothing, latency_ms=None, now=now)
        for row in transaction.rows(_IN_VAIN, key=key, tries=self.worker.rules.tries):
            queue.leave_batch(transaction, row["lead_id"])

    # --- taking in

    async def collect(self) -> None:
        """Take in the batches that have ended; look for those whose sender died."""
        with self.state.reading() as transaction:
            batches = transaction.rows(_OPEN)
        for row in batches:
            key, batch_id, age = row["batch_key"], row["provider_batch_id"], self._age(row)
            if batch_id is None and age > _UNDER_WAY:
                batch_id = await self._found(key, age)
            if batch_id is not None:
                await self._taken_in(key, batch_id, age)
        self._count()

    def _age(self, row: Row) -> timedelta:
        now = self.worker.clock()
        return now - (moment(row["created_at"]) or now)

    async def _found(self, key: str, age: timedelta) -> str | None:
        reply = await self.provider.find(key)
        self._note(reply.error)
        with self.state.writing() as transaction:
            if reply.outcome == "ok" and reply.answer:
                transaction.change(_SUBMITTED, key=key, batch_id=reply.answer)
            elif reply.outcome == "ok":
                self._let_go(transaction, key, "The batch was never made.", was="creating")
        if reply.outcome != "ok":
            self._given_up_if_overdue(key, age, reply)
        return reply.answer

    async def _taken_in(self, key: str, batch_id: str, age: timedelta) -> None:
        with self.state.reading() as transaction:
            leads = {row["call_id"]: row["lead_id"] for row in transaction.rows(_CALLS, key=key)}
        reply = await self.provider.collect(batch_id, leads)
        self._note(reply.error)
        if reply.answer and reply.answer.has_ended:
            await self._ended(key, leads, reply.answer)
        else:
            self._given_up_if_overdue(key, age, reply)

    def _given_up_if_overdue(self, key: str, age: timedelta, reply: Reply[Any]) -> None:
        """End a batch that should have ended long ago, whatever OpenAI says of it."""
        if age > (_UNHEARD if reply.outcome in AGAIN else _OVERDUE):
            self._note(_NO_END)
            _give_up(self.state, key, now=self.worker.clock())

    async def _ended(self, key: str, leads: Mapping[str, str], batch: BatchState) -> None:
        """Take in each call of a batch, and only then note that it has ended."""
        self._note(batch.error)
        if batch.is_undone:
            with self.state.writing() as transaction:
                self._let_go(transaction, key, batch.error, was="submitted")
        else:
            for call_id, each in batch.replies.items():
                await self._one(call_id, leads[call_id], each)
            with self.state.writing() as transaction:
                transaction.change(_ENDED, key=key, status=batch.status)
        await self.provider.forget(batch)

    async def _one(self, call_id: str, lead_id: str, reply: Reply[PersonaAnswer]) -> None:
        """Settle one call and keep its answer, in one go; what is settled already is left."""
        now, rules = self.worker.clock(), self.worker.rules
        with self.state.writing() as transaction:
            is_new = ledger.settle(transaction, call_id, reply, latency_ms=None, now=now)
            if not is_new:
                return
            if reply.outcome in AGAIN:
                # The next worker asks for it alone: a batch that goes on failing would have no end.
                queue.leave_batch(transaction, lead_id)
                return
            lead = queue.lease_waiting(transaction, lead_id, now=now, rules=rules)
            if lead and reply.answer is not None:
                provider, answer = self.provider.name, asdict(reply.answer)
                found = StepResult("persona", "paid", provider, answer=answer)
                self.worker.steps.keep(transaction, lead, found)
        if lead is not None:
            await self._complete(lead, reply)

    async def _complete(self, lead: Lead, reply: Reply[PersonaAnswer]) -> None:
        try:
            self.batched.completed += await self._is_completed(lead, reply)
        except Exception:
            # The others go on; a worker takes this one again when its lease ends.
            log.exception("lead %s", lead.lead_id)

    async def _is_completed(self, lead: Lead, reply: Reply[PersonaAnswer]) -> bool:
        behaviors = {} if reply.answer else self.worker.behaviors([lead.user_id])
        case = self.worker.case(lead, behaviors.get(lead.user_id))
        if reply.answer is None:
            await self.worker.steps.settle_by_rules(case, reply.outcome, reply.error)
        with self.state.writing() as transaction:
            return finishing.complete(
                self.state,
                transaction,
                lead,
                steps.read(transaction, lead.lead_id),
                company_domain=case.company_domain,
                now=self.worker.clock(),
            )


_NO_END = f"The batch did not end within {_OVERDUE.days} days."


def give_up_overdue(state: State, *, now: datetime) -> int:
    """Give up the overdue batches where nobody can ask about them, for want of a key.

    Their calls stay held, and their leads are asked about alone. Returns how many batches it were.
    """
    with state.reading() as transaction:
        overdue = transaction.rows(_OVERDUE_BATCHES, before=now - _OVERDUE)
    for row in overdue:
        _give_up(state, row["batch_key"], now=now)
    return len(overdue)


def _give_up(state: State, key: str, *, now: datetime) -> None:
    """End a batch of which nobody can say what it cost."""
    lost: Reply[PersonaAnswer] = Reply("lost", None, error=_NO_END)
    with state.reading() as transaction:
        calls = transaction.rows(_CALLS, key=key)
    for row in calls:
        with state.writing() as transaction:
            if ledger.settle(transaction, row["call_id"], lost, latency_ms=None, now=now):
                queue.leave_batch(transaction, row["lead_id"])
    with state.writing() as transaction:
        transaction.change(_ENDED, key=key, status="lost")
