"""Spend files, CSV or Parquet, as rows of text in the temporary table `spend_raw`."""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from mi_core.errors import IngestError, RelationError, UnknownName
from mi_core.ingest.export import literal_path
from mi_core.relations import quoted
from mi_core.warehouse import Warehouse

COLUMNS = ("date", "channel", "campaign", "campaign_id", "spend", "cents")
_EXPECTED = "a spend file has date, channel, campaign (may be left out), and spend or cents"
_RAW = (
    "file_no integer, row_no bigint, day varchar, channel varchar, campaign varchar,"
    " amount varchar, is_cents boolean"
)


def load_spend_files(warehouse: Warehouse, paths: Sequence[Path]) -> "list[SpendFile]":
    """Put the files' rows into `spend_raw`; `file_no` is a file's index in what is returned.

    Raises
    ------
    IngestError
        A file isn't there, is damaged, has no rows, or hasn't the columns of a spend file.
    """
    files = [_spend_file(path) for path in paths]
    warehouse.sql(f"create or replace temp table spend_raw ({_RAW})")
    for number, file in enumerate(files):
        file.load(warehouse, number)
    return files


@dataclass(frozen=True)
class SpendFile:
    """A spend file; `unit` is what one row of it is called."""

    path: Path
    unit: str = "row"

    def load(self, warehouse: Warehouse, number: int) -> None:
        """Append the file's rows to spend_raw, as text.

        Raises
        ------
        IngestError
            The file is damaged, has no rows, or hasn't the columns of a spend file.
        """
        with self._explained():
            names, rows = self._table(warehouse)
            columns = _columns(self.path.name, names)
            added = warehouse.sql(
                f"insert into spend_raw select $number, row_no, {columns} from ({rows})",
                {"number": number},
            ).fetchone()
        if not added or not added[0]:
            raise IngestError(f"{self.path.name} has no rows.")

    def place(self, row_no: int) -> str:
        return f"{self.path.name}, {self.unit} {row_no}"

    def _table(self, warehouse: Warehouse) -> tuple[list[str], str]:
        """The names of the file's columns, and a query with them as c0, c1 …"""
        source = f"read_parquet({quoted(literal_path(self.path))}, file_row_number = true)"
        described = warehouse.sql(f"describe from {source}").fetchall()
        names = [row[0] for row in described if row[0] != "file_row_number"]
        columns = (
            f'"{name.replace(chr(34), chr(34) * 2)}" as c{i}' for i, name in enumerate(names)
        )
        return names, f"select file_row_number + 1 as row_no, {', '.join(columns)} from {source}"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """DuckDB's complaints as ours."""
        try:
            yield
        except RelationError as error:
            raise IngestError(f"{self.path.name} {_damage(str(error))}") from None


@dataclass(frozen=True)
class _CsvFile(SpendFile):
    """A spend file of text, with commas, semicolons or tabs between the values."""

    unit: str = "line"

    def place(self, row_no: int) -> str:
        """The line on which the row ends: blank lines and lines within quotes are no rows."""
        delimiter, _ = self._header()
        with self._opened() as file:
            reader = csv.reader(file, delimiter=delimiter)
            next(islice(filter(None, reader), row_no, None))
            return f"{self.path.name}, line {reader.line_num}"

    def _table(self, warehouse: Warehouse) -> tuple[list[str], str]:
        delimiter, names = self._header()
        columns = ", ".join(f"c{i}: 'varchar'" for i in range(len(names)))
        return names, (
            "select row_number() over () as row_no, *"
            f" from read_csv({quoted(literal_path(self.path))}, auto_detect = false, header = true,"
            f" delim = '{delimiter}', quote = '\"', escape = '\"', columns = {{{columns}}})"
        )

    def _header(self) -> tuple[str, list[str]]:
        """What stands between the values, and the names in the first line."""
        try:
            with self._opened() as file:
                line = file.readline()
        except UnicodeDecodeError:
            raise IngestError(f"{self.path.name} is not UTF-8 text.") from None
        delimiter = max(",;\t", key=line.count)
        return delimiter, next(csv.reader([line], delimiter=delimiter), [])

    def _opened(self) -> Any:
        return self.path.open(encoding="utf-8-sig", newline="")


_KINDS = {".csv": _CsvFile, ".parquet": SpendFile}


def _spend_file(path: Path) -> SpendFile:
    """The file at `path`, known by how its name ends."""
    kind = _KINDS.get(path.suffix.lower())
    if not path.exists():
        raise IngestError(f"{path} isn't there.")
    if kind is None or not path.is_file():
        raise IngestError(f"{path} is no spend file: expected files named *.csv or *.parquet.")
    if path.stat().st_size == 0:
        raise IngestError(f"{path.name} is empty.")
    return kind(path)


def _columns(file: str, names: Sequence[str]) -> str:
    """The columns of spend_raw from those of a file, as SQL.

    Raises
    ------
    IngestError
        A column is missing, unknown, or there twice.
    """
    places = {name.strip().lower(): f"c{i}::varchar" for i, name in enumerate(names)}
    for name in places:
        if name not in COLUMNS:
            raise IngestError(f"{file}: {UnknownName('column', name, COLUMNS)}")
    missing = [name for name in ("date", "channel") if name not in places]
    if not places.keys() & {"spend", "cents"}:
        missing.append("spend")
    if missing:
        raise IngestError(f"{file} lacks {', '.join(missing)}: {_EXPECTED}.")
    for pair in ({"spend", "cents"}, {"campaign", "campaign_id"}):
        if pair <= places.keys():
            raise IngestError(f"{file} has both {' and '.join(sorted(pair))}: {_EXPECTED}.")
    if len(places) < len(names):
        raise IngestError(f"{file} has a column twice: {', '.join(names)}.")
    campaign = places.get("campaign") or places.get("campaign_id", "null")
    amount = places.get("spend") or places["cents"]
    return f"{places['date']}, {places['channel']}, {campaign}, {amount}, {'cents' in places}"


_DAMAGES = {
    r"CSV Error on Line: (\d+).*Expected Number of Columns: (\d+) Found: (\d+)": (
        "has {2} values on line {0}, for {1} columns."
    ),
    r"CSV Error on Line: (\d+).*unterminated quote": "has a quote on line {0} that isn't closed.",
    r"CSV Error on Line: (\d+).*Invalid unicode": "is not UTF-8 text, from line {0} on.",
    r"CSV Error on Line: (\d+)": "can't be read from line {0} on.",
}
"""What DuckDB says of a file, and what we say: its own words quote the file at length."""


def _damage(text: str) -> str:
    for pattern, told in _DAMAGES.items():
        if found := re.search(pattern, text, re.DOTALL):
            return told.format(*found.groups())
    return "is damaged, or is not what its name says."
