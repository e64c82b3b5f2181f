"""The worker: leases leads, takes several through their steps at a time, and ends each well.

It stops by itself when nothing is due, when it has taken as many leads as it was asked to, or when
a budget is reached; told to stop, it lets the leads under way finish.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from mi_core.definitions import EnrichmentRules
from mi_core.enrichment import companies, finishing, ledger, queue, steps
from mi_core.enrichment.address import Address, read_address
from mi_core.enrichment.asking import AccountShut, BudgetReached, Clock, LostLease, PutOff
from mi_core.enrichment.intake import decrypted
from mi_core.enrichment.queue import Lead
from mi_core.enrichment.working import Case, Steps, TryAgain, WaitForBatch, retry_due
from mi_core.state import Row, State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cryptography.fernet import MultiFernet

    from mi_core.enrichment.batches import Batched

log = logging.getLogger(__name__)

Behaviors = Callable[[Sequence[str]], Mapping[str, Row]]
Progress = Callable[[str, int, int], None]


@dataclass
class Worked:
    """What became of the leads that a worker took, and why it stopped."""

    completed: int = 0
    partial: int = 0
    failed: int = 0
    failed_permanent: int = 0
    put_off: int = 0
    waiting_for_batch: int = 0
    lost: int = 0
    batches: "Batched | None" = None
    stopped: str | None = None
    is_interrupted: bool = False
    alert: str | None = None

    @property
    def taken(self) -> int:
        """How many leads were taken."""
        return (
            self.completed
            + self.failed
            + self.failed_permanent
            + self.put_off
            + self.waiting_for_batch
            + self.lost
        )


@dataclass
class Worker:
    """Works the queue of one workspace, or `only` one person's lead.

    `behaviors` tells by user_id what people do.
    """

    steps: Steps
    cipher: "MultiFernet"
    behaviors: Behaviors
    only: str | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    worked: Worked = field(default_factory=Worked)

    def __post_init__(self) -> None:
        self._held: dict[str, Lead] = {}

    @property
    def state(self) -> State:
        return self.steps.state

    @property
    def clock(self) -> Clock:
        return self.steps.asker.clock

    @property
    def rules(self) -> EnrichmentRules:
        return self.steps.rules

    async def work(self, most: int | None, progress: Progress) -> Worked:
        """Work the queue until nothing is due or `most` leads were taken.

        Where something goes wrong that isn't about one lead, what is under way is let finish: it is
        paid for.
        """
        running: set[asyncio.Task[None]] = set()
        async with self._heartbeat():
            try:
                while True:
                    running |= self._take(len(running), most)
                    if not running:
                        break
                    done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        task.result()
                    progress("Enriching leads", self.worked.taken, self._in_sight(most, running))
            finally:
                await asyncio.gather(*running, return_exceptions=True)
        with self.state.reading() as transaction:
            budget = ledger.budget(transaction, now=self.clock(), rules=self.rules)
        self.worked.is_interrupted = self.stop.is_set() and self.worked.stopped is None
        self.worked.alert = budget.alert
        return self.worked

    def _take(self, running: int, most: int | None) -> set["asyncio.Task[None]"]:
        """Lease as many leads as there is room for, and start on them."""
        room = self.rules.concurrency - running
        if most is not None:
            room = min(room, most - running - self.worked.taken)
        # Several at a time: behaviour is looked up once for all of them.
        is_little = running and room < self.rules.concurrency // 2
        if room <= 0 or is_little or self.stop.is_set():
            return set()
        leads = queue.lease(self.state, room, now=self.clock(), rules=self.rules, only=self.only)
        if not leads:
            return set()
        try:
            behaviors = self.behaviors([lead.user_id for lead in leads])
        except BaseException:
            for lead in leads:
                queue.give_back(self.state, lead)
            raise
        self._held |= {lead.token: lead for lead in leads}
        return {asyncio.create_task(self._work(lead, behaviors)) for lead in leads}

    def _in_sight(self, most: int | None, running: set["asyncio.Task[None]"]) -> int:
        """How many leads this run will have taken in the end, as far as one can tell."""
        due = queue.count_due(self.state, now=self.clock())
        in_all = self.worked.taken + len(running) + due
        return in_all if most is None else min(most, in_all)

    @asynccontextmanager
    async def _heartbeat(self) -> "AsyncIterator[None]":
        """Keep the leases from running out while the block runs."""
        beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating

    async def _beat(self) -> None:
        lasts = timedelta(seconds=self.rules.lease_seconds)
        while True:
            await asyncio.sleep(lasts.total_seconds() / 3)
            now = self.clock()
            try:
                queue.renew(self.state, list(self._held), until=now + lasts)
                with self.state.writing() as transaction:
                    companies.renew(transaction, self.steps.claims, now=now, rules=self.rules)
            except Exception:
                # The next beat may come in time; without any, another worker takes the leads.
                log.exception("leases could not be renewed")

    # --- one lead

    async def _work(self, lead: Lead, behaviors: Mapping[str, Row]) -> None:
        try:
            case = self.case(lead, behaviors.get(lead.user_id))
            await self.steps.take(case)
            self.complete(case)
        except LostLease:
            self.worked.lost += 1
        except (BudgetReached, AccountShut) as reached:
            queue.give_back(self.state, lead)
            self.worked.put_off += 1
            self.worked.stopped = str(reached)
            self.stop.set()
        except PutOff as put_off:
            queue.give_back(self.state, lead, due=put_off.due)
            self.worked.put_off += 1
        except WaitForBatch:
            with self.state.writing() as transaction:
                is_ours = queue.wait(transaction, lead)
            self._count("waiting_for_batch", is_ours)
        except TryAgain as problem:
            self._try_again(lead, problem)
        except Exception as mistake:
            # One lead that can't be worked on, such as one encrypted under a lost key, is no
            # reason to leave the others.
            log.exception("lead %s", lead.lead_id)
            self._try_again(lead, TryAgain(f"unexpected {type(mistake).__name__}", None))
        finally:
            self._held.pop(lead.token, None)

    def case(self, lead: Lead, behavior: Row | None) -> Case:
        """A lead with all that is known of it."""
        address = self._address(lead)
        with self.state.reading() as transaction:
            done = steps.read(transaction, lead.lead_id)
        about = address or _of_domain(lead)
        return Case(
            lead=lead,
            address=address,
            company_domain=about.company_domain,
            kind=about.kind,
            behavior=behavior,
            done=done,
            is_last_try=lead.tries >= self.rules.tries,
        )

    def _address(self, lead: Lead) -> Address | None:
        if lead.email_encrypted is None:
            return None
        return decrypted(self.cipher, lead.email_encrypted)

    def complete(self, case: Case) -> None:
        """End a lead whose steps are done."""
        with self.state.writing() as transaction:
            done = steps.read(transaction, case.lead.lead_id)
            is_ours = finishing.complete(
                self.state,
                transaction,
                case.lead,
                done,
                company_domain=case.company_domain,
                now=self.clock(),
            )
        self._count("completed", is_ours)
        if is_ours and any(each.is_missing for each in done.values()):
            self.worked.partial += 1

    def _try_again(self, lead: Lead, problem: TryAgain) -> None:
        now, rules = self.clock(), self.rules
        is_last = lead.tries >= rules.tries
        with self.state.writing() as transaction:
            if is_last:
                is_ours = finishing.bury(
                    transaction,
                    lead,
                    steps.read(transaction, lead.lead_id),
                    str(problem),
                    company_domain=_of_domain(lead).company_domain,
                    now=now,
                )
            else:
                due = retry_due(lead, problem, rules, now)
                is_ours = queue.fail(transaction, lead, str(problem), due=due)
        self._count("failed_permanent" if is_last else "failed", is_ours)

    def _count(self, name: str, is_ours: bool) -> None:
        name = name if is_ours else "lost"
        setattr(self.worked, name, getattr(self.worked, name) + 1)


def _of_domain(lead: Lead) -> Address:
    """What is known of the lead's domain, also without its address."""
    return read_address(f"somebody@{lead.email_domain}")
