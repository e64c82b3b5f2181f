"""Leads on their way into the queue: addresses read, encrypted, and given to their people."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from mi_core.enrichment.address import Address, read_address, visible
from mi_core.enrichment.queue import NewLead
from mi_core.errors import BadValue, IngestError, UnknownName
from mi_core.ingest.keys import HashKeys
from mi_core.warehouse import Warehouse

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

Row = dict[str, str]

COLUMNS = ("email", "user_id", "name", "trigger")
LONGEST_TRIGGER = 64
_NOBODY = "The lead has neither an id nor an address."
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
    reopens: bool = True,
) -> list[NewLead]:
    """The leads of `entries`, in order; what is no address, or a disposable one, has an error.

    One with neither an id nor an address is nobody's: its `user_id` is empty.
    """
    ids = [(entry.distinct_id or "").strip() or entry.email.strip() for entry in entries]
    owners = people(warehouse, keys, ids)
    cipher = keys.cipher()
    leads = [
        _new_lead(entry, owner if written else "", keys, cipher)
        for entry, written, owner in zip(entries, ids, owners, strict=True)
    ]
    return [replace(lead, for_batch=for_batch, reopens=reopens) for lead in leads]


def people(warehouse: Warehouse, keys: HashKeys, ids: Sequence[str]) -> list[str]:
    """The user_id of each id of the product; of a stranger, that which a first event would give."""
    rows = [
        {"row_no": number, "hashes": [str(each) for each in keys.hashes(_whole(written))]}
        for number, written in enumerate(ids)
    ]
    warehouse.load_rows("lead_id", rows, {"row_no": "bigint", "hashes": "uuid[]"})
    found: dict[int, object] = dict(warehouse.query("enrichment/person").fetchall())
    return [str(found[number]) for number in range(len(ids))]


def _whole(text: str) -> str:
    """`text`, with a ? for each half of a character: such halves can't be written down."""
    return text.encode(errors="replace").decode()


def _new_lead(entry: Entry, user_id: str, keys: HashKeys, cipher: "MultiFernet") -> NewLead:
    trigger = _trigger(entry.trigger) or "manual"
    if not user_id:
        return NewLead(user_id, trigger, error=_NOBODY)
    try:
        address = read_address(entry.email, entry.name)
    except BadValue as problem:
        return NewLead(user_id, trigger, error=str(problem))
    if address.kind == "disposable":
        return NewLead(user_id, trigger, email_domain=address.domain, error=_DISPOSABLE)
    return NewLead(
        user_id,
        trigger,
        email_hash=str(keys.hashes(address.email)[0]),
        email_domain=address.domain,
        name_hash=str(keys.hashes(address.name.casefold())[0]) if address.name else None,
        email_encrypted=_encrypted(cipher, address),
    )


def _trigger(text: str) -> str:
    """A trigger as short as its column, on one line; it may be empty."""
    return visible(text[: 4 * LONGEST_TRIGGER])[:LONGEST_TRIGGER].rstrip()


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
        The file can't be read, has no column email, another column twice, or no rows.
    """
    names, rows = read_table(path, COLUMNS)
    if not rows:
        raise IngestError(f"{path.name} has no leads: a header, and a line for each, are needed.")
    _check_columns(path, names)
    return [_entry(row) for _, row in rows]


def read_table(path: Path, wanted: Sequence[str]) -> tuple[list[str], list[tuple[int, Row]]]:
    """The columns of a CSV file by name, and its rows, each with the number of its last line.

    Commas, semicolons and tabs separate. Names are in lower case with _ for spaces, and columns
    without one are left out.

    Raises
    ------
    IngestError
        The file can't be read, is no CSV file, or has one of the `wanted` columns twice.
    """
    text = _text(path)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), _dialect(text), strict=True)
        header = [_column(name) for name in next(reader, [])]
        rows = [(reader.line_num, _row(header, values)) for values in reader if values]
    except csv.Error as error:
        raise IngestError(f"{path.name} is no CSV file: {error}.") from None
    if twice := [name for name in wanted if header.count(name) > 1]:
        raise IngestError(f"{path.name} has more than one column {twice[0]}.")
    return [name for name in header if name], rows


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise IngestError(f"{path.name} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise IngestError(f"{path.name} is not UTF-8 text, at byte {error.start}.") from None


def _row(header: Sequence[str], values: Sequence[str]) -> Row:
    """The values by column, none of them missing; what has no column is left out."""
    told = zip_longest(header, values[: len(header)], fillvalue="")
    return {name: value.strip() for name, value in told if name}


def _dialect(text: str) -> type[csv.Dialect]:
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)

    class Dialect(csv.excel):
        delimiter = separator

    return Dialect


def _check_columns(path: Path, names: Sequence[str]) -> None:
    if "email" not in names:
        raise IngestError(f"{path.name} has no column email; it has {', '.join(names) or 'none'}.")
    for name in names:
        if name not in COLUMNS:
            raise IngestError(f"{path.name}: {UnknownName('column of leads', name, COLUMNS)}")


def _entry(row: Row) -> Entry:
    return Entry(
        row["email"],
        row.get("user_id") or None,
        row.get("name") or None,
        _trigger(row.get("trigger", "")) or "import",
    )


def _column(name: str) -> str:
    return name.strip().lower().replace(" ", "_")
