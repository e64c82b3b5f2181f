"""The relations of retention, on rows small enough to hold in the head."""

from collections.abc import Iterator

import pytest
from retention_lake import STAGED, retention_warehouse
from sql_cases import SqlCase, fill, found, sql_cases

from mi_core.warehouse import Warehouse

TABLES = (*STAGED, "lake.user_event")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = retention_warehouse(tmp_path_factory.mktemp("lake"))
    for table, columns in STAGED.items():
        opened.sql(f"create temp table {table} ({columns})")
    yield opened
    opened.close()


@pytest.mark.parametrize("case", [*sql_cases("retention")], ids=str)
def test_case(warehouse: Warehouse, case: SqlCase):
    for table in TABLES:
        fill(warehouse, table, case.given.get(table, []))

    assert sorted(found(warehouse, case), key=str) == sorted(case.expect, key=str)
