"""The views about people who come back, on rows small enough to hold in the head."""

from collections.abc import Iterator

import pytest
from retention_lake import retention_warehouse
from sql_cases import SqlCase, fill, found, sql_cases

from mi_core.warehouse import Warehouse

CASES = [case for case in sql_cases("views") if case.relation.endswith("vw_reactivation_30d")]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = retention_warehouse(tmp_path_factory.mktemp("lake"))
    yield opened
    opened.close()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(warehouse: Warehouse, case: SqlCase):
    fill(warehouse, "lake.user_event", case.given["lake.user_event"])

    assert sorted(found(warehouse, case), key=str) == sorted(case.expect, key=str)
