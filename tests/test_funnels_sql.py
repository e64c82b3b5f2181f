"""The relations of funnels, on rows small enough to hold in the head."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from retention_lake import retention_warehouse
from sql_cases import FOLDER, SqlCase, fill, found, sql_cases

import mi_core
from mi_core.warehouse import Warehouse

STAGED = {
    "funnel_event": "user_id uuid, occurred_at timestamp, event_name varchar, etype varchar",
    "funnel_row": "user_id uuid, occurred_at timestamp, mask uinteger",
    "funnel_person": "user_id uuid, person integer",
    "funnel_start": "person integer, moment bigint",
    "known_persona": "user_id uuid, slug varchar",
}
"""What the relations read besides the lake, and its columns."""

TABLES = (*STAGED, "lake.user_event")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = retention_warehouse(tmp_path_factory.mktemp("lake"))
    for table, columns in STAGED.items():
        opened.sql(f"create temp table {table} ({columns})")
    yield opened
    opened.close()


@pytest.mark.parametrize("case", [*sql_cases("funnels")], ids=str)
def test_case(warehouse: Warehouse, case: SqlCase):
    for table in TABLES:
        fill(warehouse, table, case.given.get(table, []))

    assert sorted(found(warehouse, case), key=str) == sorted(case.expect, key=str)


def test_every_relation_has_cases():
    relations = Path(mi_core.__file__).parent / "sql" / "funnels"

    assert {file.stem for file in (FOLDER / "funnels").glob("*.yaml")} == {
        file.stem for file in relations.glob("*.sql")
    }
