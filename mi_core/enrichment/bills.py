"""Bills of providers: what each call cost, from a CSV file."""

import math
import re
from decimal import Decimal
from pathlib import Path

from mi_core.enrichment.intake import read_table
from mi_core.errors import BadValue, IngestError

COLUMNS = ("call_id", "usd")
MOST_USD = 1_000
"""More than any call costs: an amount above it is in another unit."""
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


def read_bill(path: Path) -> dict[str, int]:
    """A bill from a CSV file with the columns call_id and usd: id → millionths of a dollar.

    Several lines of one call are added up. A fraction of a millionth counts as a whole one.

    Raises
    ------
    IngestError
        The file can't be read, lacks a column, or has no lines.
    BadValue
        A line has no id, or no amount that a call can have cost.
    """
    names, rows = read_table(path, COLUMNS)
    if missing := [name for name in COLUMNS if name not in names]:
        raise IngestError(f"{path.name} has no column {missing[0]}; it has {_listed(names)}.")
    if not rows:
        raise IngestError(f"{path.name} has no calls: a header, and a line for each, are needed.")
    dollars: dict[str, Decimal] = {}
    for number, row in rows:
        call_id, usd = _charge(f"{path.name}, line {number}", row)
        dollars[call_id] = dollars.get(call_id, Decimal(0)) + usd
    return {call_id: math.ceil(usd * 1_000_000) for call_id, usd in dollars.items()}


def _charge(where: str, row: dict[str, str]) -> tuple[str, Decimal]:
    call_id, written = row["call_id"], row["usd"]
    if not call_id:
        raise BadValue(f"{where}: there is no call_id.")
    if not _NUMBER.fullmatch(written):
        raise BadValue(f"{where}: usd is {written[:40]!r}; it is a number, such as 0.0123.")
    usd = Decimal(written)
    if not 0 <= usd <= MOST_USD:
        raise BadValue(f"{where}: usd is {written[:40]}; a call costs from 0 to {MOST_USD:,}.")
    return call_id, usd


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
