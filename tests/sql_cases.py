"""SQL cases: rows small enough to hold in the head, in `tests/sql/<relation>.yaml`.

A case says which rows the tables have (`given`), the parameters (`params`) and the rows that come
out (`expect`: the columns it names, in any order). Ids are small numbers, times are UTC.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from mi_core.warehouse import Warehouse

FOLDER = Path(__file__).parent / "sql"
UUID_TEXT = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class SqlCase:
    """One case of a relation."""

    relation: str
    name: str
    given: Mapping[str, list[Row]]
    params: Mapping[str, Any]
    expect: list[Row]

    def __str__(self) -> str:
        return f"{self.relation}: {self.name}"


def sql_cases(folder: str) -> Iterator[SqlCase]:
    """All cases of the relations in `mi_core/sql/<folder>`."""
    for file in sorted((FOLDER / folder).glob("*.yaml")):
        for name, case in yaml.safe_load(file.read_text()).items():
            params, given = case.get("params", {}), case.get("given", {})
            yield SqlCase(f"{folder}/{file.stem}", name, given, params, case["expect"])


def fill(warehouse: Warehouse, table: str, rows: list[Row]) -> None:
    """Replace the rows of a table; columns that a row doesn't name are null."""
    warehouse.sql(f"delete from {table}")
    for row in rows:
        marks = ", ".join(f"${number + 1}" for number in range(len(row)))
        values = [_stored(name, value) for name, value in row.items()]
        warehouse.sql(f"insert into {table} ({', '.join(row)}) values ({marks})", values)


def found(warehouse: Warehouse, case: SqlCase) -> list[Row]:
    """What the relation gives, in the columns that the case expects."""
    rows = warehouse.relation(case.relation, **case.params).to_dicts()
    columns = list(case.expect[0]) if case.expect else []
    return [{name: _shown(name, row[name]) for name in columns} for row in rows]


def _stored(name: str, value: Any) -> Any:
    is_uuid = name.endswith("_id") and name != "journey_id" and isinstance(value, int)
    return UUID(int=value) if is_uuid else value


def _shown(name: str, value: Any) -> Any:
    is_uuid = name.endswith("_id") and isinstance(value, str) and UUID_TEXT.fullmatch(value)
    return UUID(value).int if is_uuid else value
