"""Leads on their way into the queue: addresses read, encrypted, and given to their people."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mi_core.enrichment.address import Address, read_address
from mi_core.enrichment.queue import NewLead
from mi_core.errors import BadValue, IngestError, UnknownName
from mi_core.ingest.keys import HashKeys
from mi_core.warehouse import Warehouse

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

COLUMNS = ("email", "user_id", "name", "trigger")
_DISPOSABLE = "The address is of a disposable domain; such leads are not enriched."


@dataclass(frozen=True, slots=True)
class Entry:
    """A lead as somebody gives it: an address, and whose it is.

    `distinct_id` is an id of the product; without one, the address is the id, as it often is.
    """

    email: str
    distinct_id: str | None = None
    name: str | None = None
    trigger: str = "manual"

    def __repr__(self) -> str:
        return f"Entry(trigger={self.trigger!r})"


def new_leads(
    warehouse: Warehouse,
    keys: HashKeys,
    entries: Sequence[Entry],
    *,
    for_batch: bool = False,
) -> list[NewLead]:
    """The leads of `entries`, in order; what is no address, or a disposable one, has an error."""
    ids = [(entry.distinct_id or entry.email).strip() for entry in entries]
    owners = people(warehouse, keys, ids)
    cipher = keys.cipher()
    return [
        _new_lead(entry, owner, keys, cipher, for_batch)
        for entry, owner in zip(entries, owners, strict=True)
    ]


def people(warehouse: Warehouse, keys: HashKeys, ids: Sequence[str]) -> list[str]:
    """The user_id of each id of the product; of a stranger, that which a first event would give."""
    rows = [
        {"row_no": number, "hashes": [str(each) for each in keys.hashes(written)]}
        for number, written in enumerate(ids)
    ]
    warehouse.load_rows("lead_id", rows, {"row_no": "bigint", "hashes": "uuid[]"})
    found: dict[int, object] = dict(warehouse.query("enrichment/person").fetchall())
    return [str(found[number]) for number in range(len(ids))]


def _new_lead(
    entry: Entry, user_id: str, keys: HashKeys, cipher: "MultiFernet", for_batch: bool
) -> NewLead:
    try:
        address = read_address(entry.email, entry.name)
    except BadValue as problem:
        return NewLead(user_id, entry.trigger, error=str(problem))
    if address.kind == "disposable":
        return NewLead(user_id, entry.trigger, email_domain=address.domain, error=_DISPOSABLE)
    return NewLead(
        user_id,
        entry.trigger,
        email_hash=str(keys.hashes(address.email)[0]),
        email_domain=address.domain,
        email_encrypted=_encrypted(cipher, address),
        for_batch=for_batch,
    )


def _encrypted(cipher: "MultiFernet", address: Address) -> str:
    waiting = {"email": address.email, "name": address.name}
    return cipher.encrypt(json.dumps(waiting).encode()).decode()


def decrypted(cipher: "MultiFernet", waiting: str) -> Address:
    """The address that waited."""
    told = json.loads(cipher.decrypt(waiting.encode()))
    return read_address(told["email"], told["name"])


def read_leads(path: Path) -> list[Entry]:
    """The leads of a CSV file with a column email, and user_id, name and trigger if it likes.

    Raises
    ------
    IngestError
        The file can't be read, has no column email, or no rows.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise IngestError(f"{path.name} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise IngestError(f"{path.name} is not UTF-8 text, at byte {error.start}.") from None
    try:
        lines = io.StringIO(text, newline="")
        rows = list(csv.DictReader(lines, dialect=_dialect(text), strict=True))
    except csv.Error as error:
        raise IngestError(f"{path.name} is no CSV file: {error}.") from None
    if not rows:
        raise IngestError(f"{path.name} has no leads: a header, and a line for each, are needed.")
    _check_columns(path, [name for name in rows[0] if name is not None])
    return list(_entries(rows))


def _dialect(text: str) -> type[csv.Dialect]:
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)

    class Dialect(csv.excel):
        delimiter = separator

    return Dialect


def _check_columns(path: Path, names: Sequence[str]) -> None:
    known = {_column(name) for name in names}
    if "email" not in known:
        raise IngestError(f"{path.name} has no column email; it has {', '.join(names) or 'none'}.")
    for name in known - set(COLUMNS):
        raise IngestError(f"{path.name}: {UnknownName('column of leads', name, COLUMNS)}")


def _entries(rows: Iterable[Mapping[str, str | None]]) -> Iterator[Entry]:
    for row in rows:
        told = {_column(name): (value or "").strip() for name, value in row.items() if name}
        yield Entry(
            told["email"],
            told.get("user_id") or None,
            told.get("name") or None,
            told.get("trigger") or "import",
        )


def _column(name: str) -> str:
    return name.strip().lower().replace(" ", "_")
