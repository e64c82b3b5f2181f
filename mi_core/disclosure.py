"""All that is held on a person, as one document of plain values.

It goes by the same list of places as an erasure does (`erasure.places`), so that nothing can be
erased that isn't disclosed, nor the other way round. docs/privacy.md describes the document; what
it says of other people is left out.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cryptography.fernet import InvalidToken

from mi_core.erasure import files, subject
from mi_core.erasure.places import LAKE, STATE, Place
from mi_core.ingest.erased import LINKED
from mi_core.ingest.keys import HashKeys
from mi_core.warehouse import Warehouse

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

FORMAT = "mi-person/1"
"""Changes where a program that reads the document would have to change."""

_JSON = ("properties", "experiments", "social_profiles", "facts", "body")
_EDGE = ("from_hash", "to_hash")


def export_person(warehouse: Warehouse, keys: HashKeys, written: str) -> dict[str, Any]:
    """The document about a person, by an id of the product, an address, or a user_id.

    Of one of whom nothing is held it says so: `is_known` is false, and every table is empty. Times
    are ISO texts in UTC, money is in millionths of a dollar or cents as the column's name says. An
    address that waits encrypted is in clear.
    """
    with warehouse.reading() as snapshot:
        hashes = subject.find(warehouse, keys, written)
        cipher = keys.cipher()
        tables = {
            f"{store}.{place.table}": _table(warehouse, store, place, hashes, cipher)
            for store, places in (("lake", LAKE), ("state", STATE))
            for place in places
        }
        events = [str(row[0]) for row in warehouse.sql("from subject_event").fetchall()]
        users = warehouse.sql(
            "select distinct user_id from lake.identity_alias"
            " where distinct_id_hash in (select id_hash from subject_id) order by user_id"
        ).fetchall()
    pages = files.reports_with(warehouse.path, hashes)
    return {
        "format": FORMAT,
        "made_at": datetime.now(UTC).isoformat(),
        "lake_snapshot": snapshot,
        "is_known": any(table["rows"] for table in tables.values()),
        "user_ids": [str(row[0]) for row in users],
        "tables": tables,
        "files": {
            "reports": [page.relative_to(warehouse.path).as_posix() for page in pages],
            "quarantine": files.quarantined(warehouse.path, events),
        },
    }


def _table(
    warehouse: Warehouse, store: str, place: Place, hashes: Sequence[str], cipher: "MultiFernet"
) -> dict[str, Any]:
    """What the rows say, and the rows, in an order that doesn't depend on how they are stored."""
    found = warehouse.sql(
        f"select * from {store}.{place.table} where {place.condition} order by all"
    )
    names = [column[0] for column in found.description]
    rows = [dict(zip(names, map(_plain, row), strict=True)) for row in found.fetchall()]
    return {
        "holds": place.holds,
        "rows": [own for row in rows if (own := _own(place, row, set(hashes), cipher))],
    }


def _own(
    place: Place, row: dict[str, Any], hashes: set[str], cipher: "MultiFernet"
) -> dict[str, Any] | None:
    """The row without what is about others, and readable; None where it is about them alone."""
    told = {name: _opened(value) if name in _JSON else value for name, value in row.items()}
    match place.table:
        case "identity_edge":
            is_own = all(told[name] in hashes for name in _EDGE)
            return told if is_own else None
        case "inbox":
            return told | {"body": _own_event(told["body"], hashes)}
        case "user_identity":
            return _with_address(told, cipher)
    return told


def _own_event(body: Mapping[str, Any], hashes: set[str]) -> dict[str, Any]:
    """An event of the inbox, without a link to an id of somebody else."""
    event = {n: v for n, v in body.items() if n not in LINKED or v in hashes}
    return {n: _opened(v) if n in _JSON else v for n, v in event.items()}


def _with_address(row: dict[str, Any], cipher: "MultiFernet") -> dict[str, Any]:
    waiting = row.pop("email_encrypted")
    row.pop("lease_token")
    if waiting is None:
        return row | {"waiting_address": None}
    try:
        return row | {"waiting_address": json.loads(cipher.decrypt(waiting.encode()))}
    except InvalidToken:
        return row | {"waiting_address": "encrypted under a key that isn't at hand"}


def _opened(value: object) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
