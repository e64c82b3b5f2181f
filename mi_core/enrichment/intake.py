"""Leads on their way into the queue: addresses read, encrypted, and given to their people."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from difflib import get_close_matches
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
_MISSPELT = 0.75
"""So alike are `nmae` and `name`; `last_name` is another column."""
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


Given = Entry | Mapping[str, object] | str
"""A lead as callers may give it: an entry, a mapping with the names of `COLUMNS`, an address."""


@dataclass(frozen=True, slots=True)
class LeadFile:
    """The leads of a file, the number of the line that each ends on, and columns nobody reads."""

    entries: Sequence[Entry]
    lines: Sequence[int]
    ignored: Sequence[str]


def as_entries(given: Given | Iterable[Given]) -> list[Entry]:
    """One lead or several as entries.

    Raises
    ------
    BadValue
        Something is neither an entry, nor a mapping, nor an address; or isn't text in one.
    UnknownName
        A mapping has a key that no lead has.
    """
    if isinstance(given, Entry | Mapping | str | bytes) or not isinstance(given, Iterable):
        return [_as_entry(given)]
    return [_as_entry(each) for each in given]


def _as_entry(given: object) -> Entry:
    match given:
        case Entry():
            entry = given
        case str():
            entry = Entry(given)
        case Mapping():
            entry = _of_mapping(given)
        case _:
            kind = type(given).__name__
            raise BadValue(f"A lead is an Entry, a mapping or an address, not a value of {kind}.")
    for name, value in zip(COLUMNS, astuple(entry), strict=True):
        is_optional = name in ("user_id", "name")
        if not (isinstance(value, str) or (value is None and is_optional)):
            raise BadValue(
                f"The {name} of a lead is a text, not a value of {type(value).__name__}."
            )
    return entry


def _of_mapping(given: Mapping[Any, Any]) -> Entry:
    for name in given:
        if name not in COLUMNS:
            raise UnknownName("field of a lead", str(name), COLUMNS)
    told = {name: value for name, value in given.items() if value is not None}
    return Entry(
        told.get("email", ""),
        told.get("user_id"),
        told.get("name"),
        told.get("trigger", "manual"),
    )


def new_leads(
    warehouse: Warehouse,
    keys: HashKeys,
    entries: Sequence[Entry],
    *,
    for_batch: bool = False,
    reopens: bool = True,
    again: bool = False,
) -> list[NewLead]:
    """The leads of `entries`, in order; what is no address, or a disposable one, has an error.

    One with neither an id nor an address is nobody's: its `user_id` is empty.
    """
    ids = [_spellings(entry) for entry in entries]
    owners = _owners(warehouse, keys, ids)
    cipher = keys.cipher()
    leads = [
        _new_lead(entry, owner if spelled[0] else "", keys, cipher)
        for entry, spelled, owner in zip(entries, ids, owners, strict=True)
    ]
    return [
        replace(
            lead,
            for_batch=for_batch,
            reopens=reopens,
            again=again,
            known_as=_known_as(entry, spelled, keys),
        )
        for lead, entry, spelled in zip(leads, entries, ids, strict=True)
    ]


def people(warehouse: Warehouse, keys: HashKeys, ids: Sequence[str]) -> list[str]:
    """The user_id of each id of the product; of a stranger, that which a first event would give."""
    return _owners(warehouse, keys, [[written] for written in ids])


def spellings(written: str) -> list[str]:
    """What an id may be known by: as it is written and, where it is an address, its normal form.

    An address that serves as an id does so in its normal form; see `new_leads`.
    """
    return list(dict.fromkeys([written, _normal(written)]))


def _spellings(entry: Entry) -> list[str]:
    """The id; where it is the address, its normal form, and how events may have written it."""
    given = (entry.distinct_id or "").strip()
    return [given] if given else spellings(entry.email.strip())[::-1]


def _known_as(entry: Entry, spelled: Sequence[str], keys: HashKeys) -> tuple[str, ...]:
    """The hashes under each key of the id and the address."""
    names = dict.fromkeys(each for each in (*spelled, _normal(entry.email)) if each.strip())
    return tuple(str(each) for name in names for each in keys.hashes(_whole(name)))


def _normal(written: str) -> str:
    try:
        return read_address(written).email
    except BadValue:
        return written


def _owners(warehouse: Warehouse, keys: HashKeys, ids: Sequence[Sequence[str]]) -> list[str]:
    """The user_id of each person, by the spellings of an id; of a stranger, by the first."""
    rows = [
        {
            "row_no": number,
            "hashes": [str(h) for each in spelled for h in keys.hashes(_whole(each))],
        }
        for number, spelled in enumerate(ids)
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


def read_leads(path: Path) -> LeadFile:
    """The leads of a CSV file with a column email, and user_id, name and trigger if it likes.

    Other columns are left alone, as exports have them; one that seems to be misspelt is not.

    Raises
    ------
    IngestError
        The file can't be read, has no column email, another column twice, one that seems to be
        misspelt, or no rows.
    """
    names, rows = read_table(path, COLUMNS)
    if not rows:
        raise IngestError(
            f"{_shown(path)} has no leads: a header, and a line for each, are needed."
        )
    _check_columns(path, names)
    ignored = [name for name in names if name not in COLUMNS]
    return LeadFile([_entry(row) for _, row in rows], [number for number, _ in rows], ignored)


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
        raise IngestError(f"{_shown(path)} is no CSV file: {error}.") from None
    if twice := [name for name in wanted if header.count(name) > 1]:
        raise IngestError(f"{_shown(path)} has more than one column {twice[0]}.")
    return [name for name in header if name], rows


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise IngestError(f"{_shown(path)} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise IngestError(
            f"{_shown(path)} is not UTF-8 text, in line {line}; save it as CSV in UTF-8."
        ) from None


def _shown(path: Path) -> str:
    """The name of a file; all of a path that ends in none, such as a dot."""
    return path.name or str(path)


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
        told = ", ".join(names) or "none"
        raise IngestError(f"{_shown(path)} has no column email; it has {told}.")
    missing = [name for name in COLUMNS if name not in names]
    for name in names:
        if name not in COLUMNS and get_close_matches(name, missing, n=1, cutoff=_MISSPELT):
            raise IngestError(f"{_shown(path)}: {UnknownName('column of leads', name, COLUMNS)}")


def _entry(row: Row) -> Entry:
    return Entry(
        row["email"],
        row.get("user_id") or None,
        row.get("name") or None,
        _trigger(row.get("trigger", "")) or "import",
    )


def _column(name: str) -> str:
    return name.strip().lower().replace(" ", "_")
