"""Pulls: what PostHog has, by its query API, for what the webhook misses.

Pages go through the privacy door as they come, and some at a time into the lake; the window that
they cover is stored in the same transaction. So a pull that breaks off keeps what it has, and the
next one goes on from there. Events arrive late: what was young when it was pulled is pulled again.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from mi_core.errors import BadValue, PullError
from mi_core.ingest.classify import Progress, keep_classified, silent
from mi_core.ingest.door import WITHHELD, Door
from mi_core.ingest.erased import ERASED, leave_out_staged
from mi_core.ingest.inbox import REPEATS_WITHIN
from mi_core.ingest.posthog import PostHog, posthog_of
from mi_core.ingest.posthog_page import Page
from mi_core.ingest.publish import publish
from mi_core.ingest.summary import PullSummary, tally
from mi_core.instants import in_utc
from mi_core.locks import file_lock
from mi_core.warehouse import Warehouse

SOURCE = "query"
OVERLAP = timedelta(hours=24)
"""How late an event may arrive and still be found by a later pull that isn't told from when."""
FIRST = timedelta(days=7)
"""How far back the first pull goes that isn't told from when."""
BATCH_ROWS = 50_000
"""Rows that wait, past the door, to be published together."""

_POSTHOG_BEGAN = datetime(2020, 1, 1)


@dataclass
class _Pull:
    """One pull under way. Times are in UTC, without a zone."""

    warehouse: Warehouse
    door: Door
    since: datetime
    until: datetime
    run_since: datetime
    began: datetime
    summary: PullSummary
    reached: datetime = field(init=False)
    waiting: int = 0
    batches: int = 0

    def __post_init__(self) -> None:
        self.reached = self.since

    def take(self, page: Page) -> None:
        """Put a page through the door, to the rows that wait."""
        if not page.documents:
            return
        warehouse = self.warehouse
        # As an array: a list that is bound takes four times as long.
        texts = np.array(page.documents, dtype=object)
        numbers = np.arange(self.waiting, self.waiting + len(texts))
        warehouse.load_arrays("pulled_text", {"row_no": numbers, "text": texts})
        documents = (
            "select row_no, try_cast(text as json) as json, null::timestamptz as arrived_at"
            " from pulled_text"
        )
        with warehouse.view("raw_json", documents):
            warehouse.stage("pulled_event", "staging/raw_json")
        with warehouse.view("raw_event", "from pulled_event"):
            warehouse.stage("passed", "staging/door", **self.door.open(warehouse))
        rows = f"select 0 as file_no, '{SOURCE}' as source, * from passed"
        if self.waiting:
            warehouse.sql(f"insert into pulled {rows}")
        else:
            warehouse.sql(f"create or replace temp table pulled as {rows}")
        self.waiting += len(page.documents)

    def store(self, reached: datetime) -> None:
        """Publish what waits, with the window up to `reached`, in one transaction."""
        warehouse, definitions = self.warehouse, self.door.definitions
        self.batches += 1
        batch_id = f"pull-{self.began:%Y%m%dT%H%M%S%f}-{self.batches}"
        if not self.waiting:
            with warehouse.publish(batch_id):
                self._store_window(reached, PullSummary())
        else:
            with warehouse.view("staged", "from pulled"):
                gained = PullSummary(**tally(warehouse))
                is_told = gained.rejected.keys() - {ERASED}
                quarantine = self._quarantine(batch_id) if is_told else None
            with warehouse.lock():
                # Under the same lock: between the two, another process might type events again.
                keep_classified(warehouse, definitions)
                leave_out_staged(warehouse, "pulled")
                with warehouse.view("staged", "from pulled"), warehouse.publish(batch_id):
                    published = publish(
                        warehouse, definitions, batch_id, repeats_within=REPEATS_WITHIN
                    )
                    gained = gained.with_published(published, quarantine)
                    self._store_window(reached, gained)
            self.summary = self.summary.plus(gained)
        self.reached, self.waiting = reached, 0

    def _store_window(self, reached: datetime, gained: PullSummary) -> None:
        self.warehouse.sql(
            "insert into lake.pull_window by name select $since as since, $until as until,"
            " $run_since as run_since, $run_until as run_until, $began as pulled_at,"
            " $delivered as delivered, $accepted as accepted, $duplicates as duplicates,"
            " $withheld as withheld, $rejected as rejected",
            {
                "since": self.reached,
                "until": reached,
                "run_since": self.run_since,
                "run_until": self.until,
                "began": self.began,
                "delivered": gained.delivered,
                "accepted": gained.accepted,
                "duplicates": gained.duplicates,
                "withheld": gained.withheld,
                "rejected": sum(gained.rejected.values()),
            },
        )

    def _quarantine(self, batch_id: str) -> Path:
        folder = self.warehouse.path / "quarantine"
        folder.mkdir(exist_ok=True)
        self.warehouse.load_rows("staged_file", [{"file_no": 0, "file_name": batch_id}])
        target = folder / f"{batch_id}.jsonl"
        self.warehouse.write_file(target, "staging/quarantine", untold=[WITHHELD, ERASED])
        return target


def pull_from_posthog(
    warehouse: Warehouse,
    door: Door,
    *,
    since: datetime | None,
    until: datetime | None,
    overlap: timedelta = OVERLAP,
    now: datetime,
    progress: Progress = silent,
) -> PullSummary:
    """Take the events with `since` <= timestamp < `until` from PostHog into the lake.

    Parameters
    ----------
    since
        With a zone. Default: where the last pull ended, and what then was younger than `overlap`
        once more; the first pull goes back by FIRST.
    until
        With a zone. Default, and the latest: `now`.

    Raises
    ------
    BadValue
        `since` isn't before `until`, or a time has no zone.
    SettingsError
        The settings don't say which project, or lack the key.
    PullError
        PostHog can't be reached, refuses, or answers something else. What came before stays, and
        the message says until when.
    """
    posthog = posthog_of(warehouse.settings)
    began = _utc("now", now)
    end = min(began, _utc("until", until)) if until else began
    with file_lock(warehouse.path / "pull.lock", warehouse.settings.lock_timeout_seconds):
        begin, asked = _begin(warehouse, _utc("since", since) if since else None, end, overlap)
        if begin >= end:
            raise BadValue(
                f"A pull is from {begin:%Y-%m-%d %H:%M} until {end:%Y-%m-%d %H:%M} UTC: since has"
                " to be before until, and before now."
            )
        summary = PullSummary(since=begin, until=end)
        running = _Pull(warehouse, door, begin, end, asked, began, summary)
        _run(running, posthog, progress)
    return running.summary.asked(posthog.queries)


def _run(running: _Pull, posthog: PostHog, progress: Progress) -> None:
    whole = int((running.until - running.since).total_seconds())
    reached, step = running.since, "Pulling from PostHog"

    def tell(words: str) -> None:
        progress(words, int((reached - running.since).total_seconds()), whole)

    try:
        for page in posthog.pages(running.since, running.until, tell):
            running.take(page)
            reached = page.end.at
            tell(step)
            if running.waiting >= BATCH_ROWS:
                running.store(reached)
    except PullError as error:
        if running.waiting or reached > running.reached:
            running.store(reached)
        if reached == running.since:
            raise
        raise PullError(
            f"{error} What is before {reached:%Y-%m-%d %H:%M:%S} is in the lake; run it again to go"
            " on from there."
        ) from None
    if running.waiting or reached > running.reached:
        running.store(reached)


def _begin(
    warehouse: Warehouse, since: datetime | None, until: datetime, overlap: timedelta
) -> tuple[datetime, datetime]:
    """Where a pull begins, and from when on it is to fetch: later for one that was interrupted.

    A window is complete but for what was younger than `overlap` when its pull began.
    """
    row = warehouse.query("staging/pull_progress", since=since).fetchone()
    if row is None:
        begin = since or until - FIRST
        return begin, begin
    reached, pulled_at, run_since = row
    begin = max(min(reached, pulled_at - overlap), run_since if since else _POSTHOG_BEGAN)
    return begin, since or begin


def _utc(name: str, value: datetime) -> datetime:
    """The time in UTC, without its zone, as the lake has it."""
    return in_utc(name, value).replace(tzinfo=None)
