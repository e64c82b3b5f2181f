"""The enrichment of one workspace: the verbs that people, flows and services use."""

import asyncio
import signal
import threading
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mi_core.definitions import Definitions, EnrichmentRules
from mi_core.enrichment import intake, ledger, queue
from mi_core.enrichment.asking import Asker
from mi_core.enrichment.intake import Given
from mi_core.enrichment.leave import Budget
from mi_core.enrichment.queue import NewLead
from mi_core.enrichment.worker import Worked, Worker
from mi_core.enrichment.working import Steps
from mi_core.errors import BadValue, UnknownName, UnknownPerson
from mi_core.ingest.classify import Progress, silent
from mi_core.ingest.keys import HashKeys
from mi_core.settings import Settings
from mi_core.state import Row, State, moment
from mi_core.warehouse import Warehouse

if TYPE_CHECKING:
    from mi_core.enrichment.costs import Costs, Stats
    from mi_core.enrichment.decoy_run import Decoys
    from mi_core.enrichment.providers.openai_batch import PersonaBatch

PER_RUN = 10
"""Leads that a scheduled run takes."""

_HEED_SECONDS = 0.2
"""A thread that waits for another hears a signal when it looks up."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Queued:
    """What became of leads that were handed in: how many, and what was wrong with which.

    `skipped` ones are known already; `skipped_for` says how many for which reason. `problems` name
    the `lead` by its number, or the `line` of a file. `ignored_columns` are those of a file that
    nobody reads.
    """

    queued: int
    skipped: int
    refused: int
    problems: Sequence[Row]
    statuses: Sequence[str]
    user_ids: Sequence[str]
    skipped_for: Mapping[str, int]
    ignored_columns: Sequence[str] = ()


_SKIPPED_FOR = {
    "queued": "given twice",
    "pending": "already waiting",
    "failed": "already waiting",
    "waiting": "already waiting",
    "processing": "being worked on",
    "completed": "completed lately",
    "failed_permanent": "dead letter",
    "cancelled": "cancelled",
    "erased": "erased person",
}


def _queued(leads: Sequence[NewLead], became: Mapping[str, str]) -> Queued:
    """What became of leads, by what became of their people; of one given twice, one is queued."""
    queued, skipped_for = set(), Counter[str]()
    for lead in leads:
        status = became.get(lead.user_id, "")
        if lead.error:
            continue
        if status == "queued" and lead.user_id not in queued:
            queued.add(lead.user_id)
        else:
            skipped_for[_SKIPPED_FOR[status]] += 1
    problems = [
        {"lead": number, "problem": lead.error}
        for number, lead in enumerate(leads, start=1)
        if lead.error
    ]
    return Queued(
        queued=len(queued),
        skipped=skipped_for.total(),
        refused=len(problems),
        problems=problems,
        statuses=["refused" if lead.error else became[lead.user_id] for lead in leads],
        user_ids=[lead.user_id for lead in leads],
        skipped_for=dict(skipped_for),
    )


@dataclass(frozen=True)
class Status:
    """The queue as it is now; `answered_by` names the provider of each step."""

    answered_by: Mapping[str, str]
    leads: Mapping[str, int]
    providers: Sequence[Row]
    budget: Budget


class Enrichment:
    """Leads of a workspace: `put` them into the queue, `work` it, look at a `lead`.

    `clock` tells the time, with a zone.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        state: State,
        definitions: Definitions,
        keys: HashKeys,
        settings: Settings,
    ) -> None:
        self.warehouse, self.state = warehouse, state
        self.definitions, self.keys, self.settings = definitions, keys, settings
        self.clock = _now

    @property
    def rules(self) -> EnrichmentRules:
        return self.definitions.enrichment

    # --- into the queue

    def put(
        self,
        entries: Given | Iterable[Given],
        *,
        for_batch: bool = False,
        reopens: bool = True,
        again: bool = False,
    ) -> Queued:
        """Queue leads; one with neither an id nor an address is refused, and has no user_id.

        Parameters
        ----------
        entries
            One or several: each an `Entry`, a mapping with an email and, if you like, user_id, name
            and trigger, or an address.
        for_batch
            Their personas may take a day, at half the price.
        reopens
            Also those that are dead letters, with the same address.
        again
            Also those that were cancelled, with the same address.

        Raises
        ------
        BadValue
            Something is no lead.
        UnknownName
            A mapping has a key that no lead has.
        """
        leads = intake.new_leads(
            self.warehouse,
            self.keys,
            intake.as_entries(entries),
            for_batch=for_batch,
            reopens=reopens,
            again=again,
        )
        owned = [lead for lead in leads if lead.user_id]
        became = queue.put(self.state, owned, now=self.clock(), rules=self.rules)
        return _queued(leads, became)

    def put_file(self, path: Path, *, for_batch: bool = False, again: bool = False) -> Queued:
        """Queue the leads of a CSV file; see `intake.read_leads`."""
        file = intake.read_leads(Path(path))
        queued = self.put(file.entries, for_batch=for_batch, again=again)
        problems = [
            {"line": file.lines[each["lead"] - 1], "problem": each["problem"]}
            for each in queued.problems
        ]
        return replace(queued, problems=problems, ignored_columns=file.ignored)

    def withdraw(self, distinct_ids: str | Iterable[str]) -> int:
        """Cancel the waiting leads of those who take back their consent; returns how many.

        One id or several; of an address, the lead whose id it is counts, however it is written.
        """
        given = [distinct_ids] if isinstance(distinct_ids, str) else distinct_ids
        ids = {spelled for each in given for spelled in intake.spellings(each)}
        owners = intake.people(self.warehouse, self.keys, sorted(ids))
        return queue.cancel(self.state, sorted(set(owners)), now=self.clock())

    # --- through it

    def work(
        self,
        most: int | None = PER_RUN,
        *,
        only: str | None = None,
        progress: Progress = silent,
    ) -> Worked:
        """Work the queue: up to `most` leads (None: all that are due), or `only` a user_id's.

        Batches that have ended are taken in first, and those that wait for one are sent off last.
        Ctrl-C and SIGTERM let the leads under way finish.
        """
        patience = timedelta(days=self.rules.dead_letter_days)
        queue.erase_waiting(self.state, before=self.clock() - patience)
        stop = threading.Event()
        return _run(self._work(most, only, progress, stop), stop)

    async def _work(
        self, most: int | None, only: str | None, progress: Progress, stop: threading.Event
    ) -> Worked:
        from mi_core.enrichment.desk import open_desk

        desk = open_desk(self.settings, self.definitions)
        try:
            steps = Steps(
                Asker(self.state, self.rules, self.clock),
                desk,
                desk.local_persona,
                list(self.definitions.personas),
                list(self.definitions.signals),
            )
            worker = Worker(steps, self.keys.cipher(), self._behaviors, only, stop)
            if only is not None:
                return await worker.work(most, progress)
            if desk.batch is None:
                self._leave_batches()
                return await worker.work(most, progress)
            return await self._work_with_batches(worker, desk.batch, most, progress)
        finally:
            await desk.close()

    def _leave_batches(self) -> None:
        """Without a key nobody can say how a batch went: its leads don't wait for it for ever."""
        queue.leave_batches(self.state)
        with self.state.reading() as transaction:
            is_open = "select 1 from enrichment_batch where status in ('creating', 'submitted')"
            found = transaction.rows(is_open)
        if found:
            from mi_core.enrichment.batches import give_up_overdue

            give_up_overdue(self.state, now=self.clock())

    async def _work_with_batches(
        self, worker: Worker, provider: "PersonaBatch", most: int | None, progress: Progress
    ) -> Worked:
        from mi_core.enrichment.batches import Batches

        batches = Batches(worker, provider)
        await batches.collect()
        worked = await worker.work(most, progress)
        if not worker.stop.is_set():
            await batches.send()
        return replace(worked, batches=batches.batched)

    def _behaviors(self, user_ids: Sequence[str]) -> Mapping[str, Row]:
        found = self.warehouse.query("enrichment/behavior", user_ids=list(user_ids))
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        return {row["user_id"]: row for row in rows}

    # --- looking, and lending a hand

    def lead(self, distinct_id: str) -> Row:
        """All that is known of a person's lead, by an id of the product or a user_id.

        Raises
        ------
        UnknownPerson
            Nobody ever queued a lead with that id.
        """
        found = queue.describe(self.state, self._user_id(distinct_id))
        if found is None:
            raise UnknownPerson("No lead was queued with that id.")
        return found

    def status(self) -> "Status":
        """How many leads have each status, how the providers fare, and what may still be spent."""
        now = self.clock()
        with self.state.reading() as transaction:
            return Status(
                answered_by=self._answered_by(),
                leads=queue.count(transaction),
                providers=ledger.health(transaction, now=now, rules=self.rules),
                budget=ledger.budget(transaction, now=now, rules=self.rules),
            )

    def _answered_by(self) -> dict[str, str]:
        keys = {
            "rapidapi": self.settings.rapidapi_key,
            "perplexity": self.settings.perplexity_api_key,
            "openai": self.settings.openai_api_key,
        }
        return {price.step: name if keys[name] else "local" for name, price in self.rules.providers}

    def cancel(self, distinct_id: str) -> bool:
        """Take a lead out of the queue and erase its address; false where it wasn't in it."""
        return queue.cancel(self.state, [self.lead(distinct_id)["user_id"]], now=self.clock()) == 1

    def retry(self, distinct_id: str | None = None, *, partial: bool = False) -> int:
        """Queue dead letters again, or with `partial` leads that lack a step; all, or one."""
        user_id = None if distinct_id is None else self.lead(distinct_id)["user_id"]
        return queue.retry(self.state, now=self.clock(), partial=partial, user_id=user_id)

    def _user_id(self, written: str) -> str:
        """The person's: of an id of the product or an address, or a user_id as tables show it."""
        if queue.describe(self.state, written):
            return written
        owners = intake.people(self.warehouse, self.keys, intake.spellings(written))
        return next((each for each in owners if queue.describe(self.state, each)), owners[0])

    def reopen(self, provider: str) -> None:
        """Let a provider that was down or shut be asked again at once; see `ledger.reopen`."""
        ledger.reopen(self.state, provider, rules=self.rules)

    # --- money

    def settle(
        self,
        provider: str,
        bill: Mapping[str, int] | None = None,
        *,
        before: datetime | None = None,
        as_held: bool = False,
    ) -> dict[str, int]:
        """Settle the calls of unknown cost made before `before` (default: now).

        By the provider's bill, call id → millionths of a dollar; or `as_held`: all are taken to
        have been billed for the most that they can have cost. See `ledger.settle_by_bill`.

        Raises
        ------
        BadValue
            Neither a bill nor `as_held` is given, or both; nothing was ever asked of the provider;
            or the bill can't be ours.
        UnknownName
            There is no such provider.
        """
        if (bill is None) != as_held:
            raise BadValue("Settle by a bill, or as_held without one; nothing is settled unasked.")
        now = self.clock()
        until = before or now
        if until > now:
            when = f"{until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
            raise BadValue(f"The calls before {when} are still to come; no bill has them.")
        self._check_asked(provider)
        return ledger.settle_by_bill(self.state, provider, bill, before=until, now=now)

    def _check_asked(self, provider: str) -> None:
        names = [name for name, _ in self.rules.providers]
        if provider not in names:
            raise UnknownName("provider", provider, names)
        query = "select 1 from enrichment_call where provider = :provider limit 1"
        with self.state.reading() as transaction:
            if not transaction.rows(query, provider=provider):
                raise BadValue(f"{provider} has no calls to settle.")

    def decoys(self, count: int = 50, *, seed: int = 0, progress: Progress = silent) -> "Decoys":
        """How often the guard takes another person's profile for a lead's; see `decoy_run`."""
        from mi_core.enrichment.decoy_run import run_decoys
        from mi_core.enrichment.desk import open_desk

        async def run() -> "Decoys":
            desk = open_desk(self.settings, self.definitions)
            try:
                asker = Asker(self.state, self.rules, self.clock)
                return await run_decoys(asker, desk.social, count, seed=seed, progress=progress)
            finally:
                await desk.close()

        return _run(run(), threading.Event())

    def costs(self, *, days: int = 30, as_of: datetime | None = None) -> "Costs":
        """What leads cost in the `days` days before `as_of` (default: now); see `costs.costs`."""
        from mi_core.enrichment.costs import costs

        return costs(self.warehouse, self.rules, **self._period(days, as_of))

    def stats(self, *, days: int = 30, as_of: datetime | None = None) -> "Stats":
        """How the queue does, in the `days` days before `as_of` (default: now)."""
        from mi_core.enrichment.costs import stats

        return stats(self.warehouse, self.rules, **self._period(days, as_of))

    def newest_end(self) -> datetime | None:
        """When a lead was last completed; None before the first."""
        query = "select max(enriched_at) as at from user_identity"
        with self.state.reading() as transaction:
            return moment(transaction.rows(query)[0]["at"])

    def _period(self, days: int, as_of: datetime | None) -> dict[str, datetime]:
        if days < 1:
            raise BadValue(f"A period has 1 day or more, not {days}.")
        until = as_of or self.clock()
        return {"since": until - timedelta(days=days), "until": until}


def _now() -> datetime:
    return datetime.now(UTC)


def _run(work: Coroutine[Any, Any, Result], stop: threading.Event) -> Result:
    """Run to the end; in a thread of its own where a loop runs already, as in a notebook.

    A signal sets `stop`; the leads under way finish.
    """
    with _signals_set(stop):
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(work)
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(asyncio.run, work)
            while not running.done():
                wait([running], timeout=_HEED_SECONDS)
            return running.result()


@contextmanager
def _signals_set(stop: threading.Event) -> Iterator[None]:
    """SIGINT and SIGTERM set `stop` while the block runs; a second one interrupts it.

    Afterwards whoever listened before does so again. Only the main thread can listen.
    """

    def heed(_number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    listened = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    for each in listened:
        signal.signal(each, heed)
    try:
        yield
    finally:
        for each, before in listened.items():
            signal.signal(each, before)
