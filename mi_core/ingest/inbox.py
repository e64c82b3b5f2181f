"""The inbox: small deliveries, durable before they are acknowledged, moved to the lake in batches.

An event is past the privacy door before the inbox holds it, under its own id, so that a second
delivery of it is a duplicate. The drain moves what is new and stores how far it got in the same
lake transaction: a crash between the two stores repeats nothing and loses nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from mi_core.ingest.classify import keep_classified
from mi_core.ingest.door import Door
from mi_core.ingest.erased import leave_out, leave_out_staged
from mi_core.ingest.publish import publish
from mi_core.ingest.standing import Passed, StandingDoor
from mi_core.state import State, Transaction
from mi_core.warehouse import Warehouse

REPEATS_WITHIN = timedelta(days=7)
"""How far in time a repeat of an event may lie from it and still be found in the lake."""
_BATCH = 100_000


@dataclass(frozen=True)
class Delivery:
    """Events that came together, as PostHog delivers them.

    `webhook_id` is what a signed delivery is known by, the same for each attempt at it.
    """

    events: Sequence[Mapping[str, Any]]
    source: str
    webhook_id: str | None = None


@dataclass(frozen=True)
class Taken:
    """What became of a delivery: of what passed the door, and why the rest didn't, by position.

    Of one that came before, as `is_repeat` says, nothing was looked at.
    """

    accepted: int = 0
    duplicates: int = 0
    refused: Mapping[int, str] = field(default_factory=dict)
    is_repeat: bool = False


def take(
    door: StandingDoor,
    state: State,
    deliveries: Sequence[Delivery],
    *,
    received_at: datetime,
    notes: bool = True,
) -> list[Taken]:
    """Put deliveries through the door and into the inbox, in one transaction.

    All that passed is on disk when this returns; withheld events are among the refused. `notes`
    remembers the ids of signed ones, so that a repeat is known: where more must be done first,
    `note` does it later.
    """
    events = [event for each in deliveries for event in each.events]
    sources = [each.source for each in deliveries for _ in each.events]
    passed = iter(door.open(events, sources, received_at) if events else [])
    behind = [list(islice(passed, len(each.events))) for each in deliveries]
    with state.writing() as transaction:
        behind = [leave_out(transaction, rows) for rows in behind]
        is_repeat = _repeats(deliveries, transaction)
        bodies = [
            (row.event_id, row.body)
            for rows, repeat in zip(behind, is_repeat, strict=True)
            for row in rows
            if not repeat and row.reason is None
        ]
        posted = iter(state.post(bodies, received_at, within=transaction).is_new)
        taken = [
            Taken(is_repeat=True) if repeat else _taken(rows, posted)
            for rows, repeat in zip(behind, is_repeat, strict=True)
        ]
        if notes:
            note(state, deliveries, taken, received_at=received_at, within=transaction)
    return taken


def note(
    state: State,
    deliveries: Sequence[Delivery],
    taken: Sequence[Taken],
    *,
    received_at: datetime,
    within: Transaction | None = None,
) -> None:
    """Remember the ids of those deliveries of which something is stored.

    What was refused may be taken another time, so it isn't known when it comes again.
    """
    ids = [
        each.webhook_id
        for each, became in zip(deliveries, taken, strict=True)
        if each.webhook_id is not None and became.accepted + became.duplicates
    ]
    if ids:
        state.note_webhooks(ids, received_at, within=within)


def _repeats(deliveries: Sequence[Delivery], transaction: Transaction) -> list[bool]:
    """Which deliveries came before, earlier ones of the same list included."""
    ids = [each.webhook_id for each in deliveries if each.webhook_id is not None]
    met = transaction.known("webhook_delivery", "webhook_id", ids) if ids else set()
    is_repeat = []
    for each in deliveries:
        is_repeat.append(each.webhook_id in met)
        if each.webhook_id is not None:
            met.add(each.webhook_id)
    return is_repeat


def _taken(rows: Sequence[Passed], posted: Iterator[bool]) -> Taken:
    refused = {number: row.reason for number, row in enumerate(rows) if row.reason is not None}
    is_new = list(islice(posted, len(rows) - len(refused)))
    return Taken(sum(is_new), len(is_new) - sum(is_new), refused)


def drain(warehouse: Warehouse, door: Door) -> int:
    """Move what is new in the inbox to the lake; returns how many events the lake gained."""
    accepted, is_full = 0, True
    # What is posted meanwhile is left for the next drain: this one would never end.
    while is_full:
        gained, is_full = _drain_batch(warehouse, door)
        accepted += gained
    return accepted


def _drain_batch(warehouse: Warehouse, door: Door) -> tuple[int, bool]:
    """How many events the lake gained, and whether the batch was a full one."""
    with warehouse.lock():
        # Under the same lock: between the two, a process with other definitions might type again.
        keep_classified(warehouse, door.definitions)
        row = warehouse.sql(
            "select coalesce(max(last_seq), 0) from lake.ingest_watermark"
        ).fetchone()
        after = row[0] if row else 0
        staged = warehouse.stage("drained", "staging/inbox", after=after, most=_BATCH)
        if not staged:
            return 0, False
        row = warehouse.sql("select max(row_no) from drained").fetchone()
        newest = row[0] if row else after
        leave_out_staged(warehouse, "drained")
        batch_id = f"drain-{newest}"
        with warehouse.view("staged", "from drained"), warehouse.publish(batch_id):
            published = publish(
                warehouse, door.definitions, batch_id, repeats_within=REPEATS_WITHIN
            )
            warehouse.sql("delete from lake.ingest_watermark")
            warehouse.sql("insert into lake.ingest_watermark values ($seq)", {"seq": newest})
    return published.accepted, staged == _BATCH
