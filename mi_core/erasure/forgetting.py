"""Forgetting a person, from the record that it is wanted to the receipt that it is done.

    record, and the state's rows → files → rows of the lake → its history → databases → receipt

All of it holds the delivery lock and the write lock: no file that was staged before can be
published after. Readers go on; before files go, queries that may read them are waited for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from mi_core.erasure import files, lake, records, subject
from mi_core.erasure.receipt import REMAINS, Receipt
from mi_core.ingest.keys import HashKeys
from mi_core.locks import file_lock
from mi_core.state import State
from mi_core.warehouse import Warehouse


def forget(warehouse: Warehouse, state: State, keys: HashKeys, written: str) -> Receipt:
    """Erase a person, and keep them out from now on; also one of whom nothing is held.

    `written` is an id of the product, an address, or a user_id. What an earlier erasure left half
    done is finished first. Time travel to before is gone, for everybody.

    Raises
    ------
    WorkspaceError
        It could not be finished, as the message says why; `finish` goes on with it. Before it was
        written down (the locks were held), nothing has changed.
    """
    with _alone(warehouse):
        _finish_all(warehouse, state)
        with warehouse.reading():
            hashes = subject.find(warehouse, keys, written)
            planned, seen = _planned(warehouse, hashes), records.Inbox(warehouse)
        receipt = records.begin(state, planned, hashes, seen)
        return _finish(warehouse, state, receipt)


def finish(warehouse: Warehouse, state: State) -> list[Receipt]:
    """Finish the erasures that were interrupted; returns their receipts.

    Raises
    ------
    WorkspaceError
        As `forget`.
    """
    if not records.unfinished(state):
        return []
    with _alone(warehouse):
        return _finish_all(warehouse, state)


def lift(warehouse: Warehouse, state: State, keys: HashKeys, written: str) -> int:
    """Let a person who was forgotten in again; returns by how many hashes they were kept out.

    Nothing that was erased comes back by it, and a file that was taken in before is not read again.
    """
    finish(warehouse, state)
    return records.lift(state, subject.find(warehouse, keys, written))


@contextmanager
def _alone(warehouse: Warehouse) -> Iterator[None]:
    """With no ingest under way, and no other writer; in the order in which an ingest takes them."""
    patience = warehouse.settings.lock_timeout_seconds
    with file_lock(warehouse.path / "delivery.lock", patience), warehouse.lock():
        yield


def _planned(warehouse: Warehouse, hashes: list[str]) -> Receipt:
    """The receipt of an erasure that begins now, with what there is to go."""
    folder = warehouse.path
    pages = files.reports_with(folder, hashes)
    return Receipt(
        erasure_id=str(uuid4()),
        begun_at=datetime.now(UTC),
        finished_at=None,
        rows=subject.count(warehouse, "lake"),
        files={
            "quarantine_lines": len(files.quarantined(folder, _events(warehouse))),
            "staged_files": len(files.staged(folder)),
        },
        reports=[page.relative_to(folder / files.REPORTS).as_posix() for page in pages],
        snapshots=lake.snapshots(warehouse),
        hashes=len(hashes),
        remains=REMAINS,
    )


def _finish_all(warehouse: Warehouse, state: State) -> list[Receipt]:
    receipts = []
    for receipt, hashes in records.unfinished(state):
        subject.stage(warehouse, hashes)
        receipts.append(_finish(warehouse, state, receipt))
    return receipts


def _finish(warehouse: Warehouse, state: State, receipt: Receipt) -> Receipt:
    """Erase the staged person, whose erasure is on record; what is gone already is passed over."""
    hashes = [str(row[0]) for row in warehouse.sql("from subject_id").fetchall()]
    files.remove(warehouse.path, hashes, _events(warehouse))
    lake.delete_rows(warehouse)
    gone = lake.drop_history(warehouse)
    # A report that was being rendered; one that ends later finds its snapshot gone.
    files.remove(warehouse.path, hashes, ())
    subject.stage(warehouse, hashes)
    records.sweep(state, hashes, records.Inbox(warehouse))
    records.vacuum(warehouse)
    with warehouse.reading():
        subject.stage(warehouse, hashes)
        # The lake gained nothing under the lock; into the state others write meanwhile.
        records.check_nothing_left(subject.count(warehouse, "state"))
    receipt = replace(
        receipt,
        finished_at=datetime.now(UTC),
        files=dict(receipt.files) | {"lake_files": gone},
    )
    records.finish(state, receipt)
    return receipt


def _events(warehouse: Warehouse) -> list[str]:
    return [str(row[0]) for row in warehouse.sql("from subject_event").fetchall()]
