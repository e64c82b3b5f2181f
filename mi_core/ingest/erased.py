"""Whoever was forgotten stays out: what later comes of them is counted, and stored nowhere.

`state.erased_id` has the hashes of their ids. The door asks for them once for a file
(`staging/door.sql`); what waited past the door, or comes singly, is looked at again where it is
about to be stored, under the lock that an erasure takes too.

Somebody else's event that names one of these ids, as a merge of two people does, loses the link.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from mi_core.errors import WorkspaceError
from mi_core.relations import identifier
from mi_core.state import INBOX_KEY, Transaction
from mi_core.warehouse import Warehouse

if TYPE_CHECKING:
    from mi_core.ingest.standing import Passed

ERASED = "erased person"
"""Why an event is refused; it is told in no other place, neither quarantine nor inbox."""

OWN = ("distinct_id_hash", "old_distinct_id_hash", "person_hash")
LINKED = ("linked_hash", "old_linked_hash")
"""Of an event past the door: the hashes of its person, and those of an id that it links to them."""


Given = ParamSpec("Given")
Result = TypeVar("Result")


def stage_erased(warehouse: Warehouse) -> None:
    """Stage `erased_id`, as staging/door.sql reads it; empty where DuckDB reads no state."""
    source = "select id_hash::uuid as id_hash from state.erased_id"
    if not warehouse.has_state:
        source = "select null::uuid as id_hash limit 0"
    warehouse.sql(f"create or replace temp table erased_id as {source}")


def leave_out_staged(warehouse: Warehouse, table: str) -> None:
    """Take what is of the erased out of staged rows; under the write lock.

    Between the door and the lock somebody may have been forgotten.
    """
    stage_erased(warehouse)
    name = identifier(table)
    if warehouse.sql("select 1 from erased_id limit 1").fetchone():
        warehouse.sql(f"delete from {name} where {_is_erased(OWN)}")


def leave_out_links(warehouse: Warehouse) -> None:
    """Take ids of the erased, which others are linked to, out of what was delivered.

    `delivered_id` and `delivered_edge` are as `identity.resolve` stages them from `staged`.
    """
    stage_erased(warehouse)
    if not warehouse.sql("select 1 from erased_id limit 1").fetchone():
        return
    # Of an id that was hashed anew since, the new hash is known by the old one beside it.
    anew = f"select linked_hash from staged where {_is_erased(LINKED)}"
    warehouse.sql(f"delete from delivered_id where distinct_id_hash in ({anew})")
    warehouse.sql(f"delete from delivered_edge where from_hash in ({anew}) or to_hash in ({anew})")


class Overtaken(WorkspaceError):
    """Somebody was forgotten between computing something and storing it."""


def check_not_overtaken(warehouse: Warehouse, snapshot: int) -> None:
    """Raise Overtaken if what was computed from `snapshot` may be of somebody who was forgotten.

    Runs inside a publish. An erasure leaves no snapshot from before it.
    """
    query = "select 1 from lake.snapshots() where snapshot_id = $snapshot"
    if not warehouse.sql(query, {"snapshot": snapshot}).fetchone():
        raise Overtaken("Somebody was forgotten while this was computed; run it again.")


def again_if_overtaken(verb: Callable[Given, Result]) -> Callable[Given, Result]:
    """`verb`, which computes and stores: once more where it was overtaken."""

    @wraps(verb)
    def run(*args: Given.args, **more: Given.kwargs) -> Result:
        try:
            return verb(*args, **more)
        except Overtaken:
            return verb(*args, **more)

    return run


def _is_erased(columns: Sequence[str]) -> str:
    return " or ".join(f"{column} in (from erased_id)" for column in columns)


def leave_out(transaction: Transaction, passed: Sequence["Passed"]) -> list["Passed"]:
    """The rows as the inbox may hold them: those of the erased are refused.

    From here to the end of the transaction nobody is erased.
    """
    transaction.one_at_a_time(INBOX_KEY)
    if not transaction.rows("select 1 from erased_id limit 1"):
        return list(passed)
    events = [json.loads(row.body) if row.reason is None else {} for row in passed]
    hashes = {event[name] for event in events for name in (*OWN, *LINKED) if event.get(name)}
    erased = transaction.known("erased_id", "id_hash", sorted(hashes))
    return [_apart(row, event, erased) for row, event in zip(passed, events, strict=True)]


def _apart(row: "Passed", event: dict[str, Any], erased: set[str]) -> "Passed":
    if erased.intersection(event.get(name) for name in OWN):
        return replace(row, reason=ERASED, event_id="", body="")
    if erased.intersection(event.get(name) for name in LINKED):
        return replace(row, body=json.dumps(event | dict.fromkeys(LINKED)))
    return row
