"""Personas of a backfill by OpenAI's batches: half the price, within a day.

A batch's calls are reserved, and the batch is written down, before anything is sent. After a crash
the batch is found by its key, or, where there is none, its calls are let go: so none is paid twice.
"""

from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import uuid4

from mi_core.enrichment import ledger, queue
from mi_core.enrichment.batch_lines import MOST_LINES
from mi_core.enrichment.calls import AGAIN, PersonaAnswer, Reply, Request
from mi_core.enrichment.providers.openai_batch import PersonaBatch
from mi_core.enrichment.queue import Lead
from mi_core.enrichment.steps import StepResult
from mi_core.enrichment.worker import Worker
from mi_core.state import State, Transaction

_UNDER_WAY = timedelta(minutes=10)
"""How long a batch may be about to be sent; then its sender has died."""

_OPEN = """
select batch_key, provider_batch_id, created_at < :long_ago as is_old
from enrichment_batch
where status in ('creating', 'submitted')
order by created_at
"""
_CREATING = """
insert into enrichment_batch (batch_key, status, created_at) values (:key, 'creating', :now)
"""
_SUBMITTED = """
update enrichment_batch
set status = 'submitted', provider_batch_id = :batch_id
where batch_key = :key
"""
_ENDED = "update enrichment_batch set status = :status where batch_key = :key"
_CALLS = """
select call_id, lead_id
from enrichment_call
where batch_key = :key and cost_micros is null
"""


@dataclass
class Batched:
    """What became of batches: leads sent off, leads completed, and what stands in the way."""

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

    # --- sending

    async def send(self) -> None:
        """Put all leads that wait for one into a batch, as far as the budget goes."""
        with self.state.reading() as transaction:
            leads = queue.waiting(transaction, MOST_LINES)
        requests = self._requests(leads)
        key, now = str(uuid4()), self.worker.clock()
        with self.state.writing() as transaction:
            reserved, refusal = ledger.reserve_batch(
                transaction, requests, key, self.provider.name, now=now, rules=self.worker.rules
            )
            if reserved:
                transaction.change(_CREATING, key=key, now=now)
        self.batched.error = refusal
        if reserved:
            reply = await self.provider.submit(reserved, key)
            self._note_sent(key, reply, len(reserved))

    def _requests(self, leads: list[Lead]) -> dict[str, Request]:
        """The call for each lead, by lead id."""
        behaviors = self.worker.behaviors([lead.user_id for lead in leads]) if leads else {}
        requests = {}
        for lead in leads:
            case = self.worker.case(lead, behaviors.get(lead.user_id))
            question = self.worker.steps.question_of(case)
            requests[lead.lead_id] = self.provider.request(question)
        return requests

    def _note_sent(self, key: str, reply: Reply[str], calls: int) -> None:
        with self.state.writing() as transaction:
            if reply.outcome == "ok" and reply.answer:
                transaction.change(_SUBMITTED, key=key, batch_id=reply.answer)
                self.batched.sent += calls
                self.batched.under_way += calls
                return
            self.batched.error = reply.error
            if reply.cost_micros == 0:
                self._let_go(transaction, key, reply.error)

    # --- taking in

    async def collect(self) -> None:
        """Take in the batches that have ended; look for those whose sender died."""
        long_ago = self.worker.clock() - _UNDER_WAY
        with self.state.reading() as transaction:
            batches = transaction.rows(_OPEN, long_ago=long_ago)
        for row in batches:
            key, batch_id = row["batch_key"], row["provider_batch_id"]
            if batch_id is None and row["is_old"]:
                batch_id = await self._found(key)
            if batch_id is not None:
                await self._taken_in(key, batch_id)

    async def _found(self, key: str) -> str | None:
        reply = await self.provider.find(key)
        with self.state.writing() as transaction:
            if reply.outcome == "ok" and reply.answer:
                transaction.change(_SUBMITTED, key=key, batch_id=reply.answer)
            elif reply.outcome == "ok":
                self._let_go(transaction, key, "the batch was never made")
        return reply.answer

    async def _taken_in(self, key: str, batch_id: str) -> None:
        with self.state.reading() as transaction:
            leads = {row["call_id"]: row["lead_id"] for row in transaction.rows(_CALLS, key=key)}
        reply = await self.provider.collect(batch_id, list(leads))
        if reply.answer is None or not reply.answer.has_ended:
            self.batched.under_way += len(leads)
            self.batched.error = reply.error or self.batched.error
            return
        for call_id, each in reply.answer.replies.items():
            await self._one(call_id, leads[call_id], each)
        with self.state.writing() as transaction:
            transaction.change(_ENDED, key=key, status=reply.answer.status)

    async def _one(self, call_id: str, lead_id: str, reply: Reply[PersonaAnswer]) -> None:
        """Settle one call and complete its lead, in one go; what is settled already is left."""
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
        behavior = self.worker.behaviors([lead.user_id]).get(lead.user_id)
        case = self.worker.case(lead, behavior)
        if reply.answer is None:
            await self.worker.steps.settle_by_rules(case, reply.outcome, reply.error)
        self.worker.complete(case)
        self.batched.completed += 1

    def _let_go(self, transaction: Transaction, key: str, error: str | None) -> None:
        """A batch that was never made costs nothing; its leads wait for the next one."""
        now = self.worker.clock()
        nothing: Reply[PersonaAnswer] = Reply("unavailable", 0, error=error)
        for row in transaction.rows(_CALLS, key=key):
            ledger.settle(transaction, row["call_id"], nothing, latency_ms=None, now=now)
        transaction.change(_ENDED, key=key, status="failed")
