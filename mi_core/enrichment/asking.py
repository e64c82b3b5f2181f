"""One paid call from leave to ledger, and what can come in between.

Reserve, wait for the turn, send, settle: the answer is kept in the transaction that settles the
call, so that what was paid for is there, and what is there was paid for once.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from mi_core.definitions import EnrichmentRules, ProviderPrice
from mi_core.enrichment import ledger
from mi_core.enrichment.calls import SHUT, Provider, Reply
from mi_core.enrichment.leave import Down, Later, LeaseLost, OverBudget, Reserved, Shut
from mi_core.enrichment.queue import Lead
from mi_core.state import State, Transaction

Question = TypeVar("Question")
Answer = TypeVar("Answer")

Clock = Callable[[], datetime]
Keep = Callable[[Transaction, Answer], None]


class Interrupted(Exception):
    """The lead can't go on now."""


class PutOff(Interrupted):
    """The provider wants to be left alone for a while; that is not the lead's fault."""

    def __init__(self, due: datetime) -> None:
        super().__init__(f"The provider is not to be asked before {due:%H:%M:%S} UTC.")
        self.due = due


class BudgetReached(Interrupted):
    """A cap would be passed: the queue stops."""


class AccountShut(Interrupted):
    """A provider's account can't be used: the queue stops, for somebody to mend it."""


class LostLease(Interrupted):
    """Somebody else has the lead, or it was cancelled."""


class ProviderDown(Interrupted):
    """The provider is down; the lead goes on without it."""


@dataclass
class Asker:
    """Asks providers, at most so many at a time each, and keeps the books."""

    state: State
    rules: EnrichmentRules
    clock: Clock

    def __post_init__(self) -> None:
        self._turns: dict[str, asyncio.Semaphore] = {}

    async def ask(
        self,
        lead: Lead | None,
        provider: Provider[Question, Answer],
        question: Question,
        keep: Keep[Answer],
    ) -> Reply[Answer]:
        """Ask once; `keep` stores a good answer as the call is settled.

        Raises
        ------
        Interrupted
            There was no leave to send the call, or the account can't be used.
        """
        price: ProviderPrice = getattr(self.rules.providers, provider.name)
        turn = self._turns.setdefault(provider.name, asyncio.Semaphore(price.concurrency))
        async with turn:
            request = provider.request(question)
            call_id = await self._leave(lead, provider.name, price, request)
            started = time.perf_counter()
            reply = await provider.send(request, call_id)
            latency = round(1000 * (time.perf_counter() - started))
        now = self.clock()
        with self.state.writing() as transaction:
            # What is settled already, by its bill, keeps its cost; the answer is as good as ever.
            ledger.settle(transaction, call_id, reply, latency_ms=latency, now=now)
            ledger.note_health(transaction, provider.name, reply, now=now, rules=self.rules)
            if reply.outcome == "ok" and reply.answer is not None:
                keep(transaction, reply.answer)
        if reply.outcome in SHUT:
            until = now + timedelta(seconds=self.rules.breaker.shut_seconds)
            raise AccountShut(ledger.shut_sentence(provider.name, reply.error, until))
        return reply

    async def _leave(
        self, lead: Lead | None, provider: str, price: ProviderPrice, request: Any
    ) -> str:
        """The id to send the call under, once its turn has come."""
        while True:
            now = self.clock()
            leave = ledger.reserve(
                self.state, lead, provider, price, request, now=now, rules=self.rules
            )
            match leave:
                case Reserved():
                    await _until(leave.call_at, now)
                    if leave.call_at > now and self._is_lost(lead, leave.call_id):
                        raise LostLease
                    return leave.call_id
                case Later(due) if due > now + ledger.LONGEST_WAIT:
                    raise PutOff(due)
                case Later(due):
                    await _until(due, now)
                case Down(reason):
                    raise ProviderDown(reason)
                case Shut(reason):
                    raise AccountShut(reason)
                case OverBudget(reason):
                    raise BudgetReached(reason)
                case LeaseLost():
                    raise LostLease

    def _is_lost(self, lead: Lead | None, call_id: str) -> bool:
        """Whether the lead went to somebody else, or was cancelled, while its turn was waited for.

        Then nothing is sent, and nothing is held.
        """
        return lead is not None and ledger.release(self.state, lead, call_id, now=self.clock())


async def _until(due: datetime, now: datetime) -> None:
    await asyncio.sleep(max(0.0, (due - now).total_seconds()))
