"""Whose data it is: all hashes of a person, from one id as anybody writes it."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from uuid import UUID

from mi_core.enrichment.intake import spellings
from mi_core.erasure.places import LAKE, STATE
from mi_core.ingest.keys import HashKeys
from mi_core.warehouse import Warehouse

STAGED = ("subject_event", "subject_lead", "subject_domain", "subject_inbox")


def find(warehouse: Warehouse, keys: HashKeys, written: str) -> list[str]:
    """The hashes of a person, staged as `subject_id`, with what else is found by them.

    `written` is an id of the product, an address in any spelling, or a user_id as tables show it.
    A stranger has the hashes that their ids would have.
    """
    hashes = {str(each) for text in spellings(written.strip()) for each in keys.hashes(text)}
    with suppress(ValueError):
        hashes.add(str(UUID(written.strip())))
    warehouse.stage("subject_id", "erasure/subject_id", given=sorted(hashes))
    _stage(warehouse)
    return sorted(str(row[0]) for row in warehouse.sql("from subject_id").fetchall())


def stage(warehouse: Warehouse, hashes: Iterable[str]) -> None:
    """Stage a person again of whom all hashes are known."""
    rows = [{"id_hash": each} for each in hashes]
    warehouse.load_rows("subject_id", rows, {"id_hash": "uuid"})
    _stage(warehouse)


def _stage(warehouse: Warehouse) -> None:
    for table in STAGED:
        warehouse.stage(table, f"erasure/{table}")


def count(warehouse: Warehouse, store: str) -> Mapping[str, int]:
    """How many rows of the staged person `lake` or `state` has, by table; tombstones aside."""
    found = {}
    for place in {"lake": LAKE, "state": STATE}[store]:
        if place.table != "erased_id":
            table = f"{store}.{place.table}"
            row = warehouse.sql(f"select count(*) from {table} where {place.condition}").fetchone()
            found[table] = int(row[0]) if row else 0
    return found
