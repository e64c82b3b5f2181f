"""The relations of the enrichment on rows small enough to hold in the head."""

from collections.abc import Iterator

import pytest
from enrichment_lake import TABLES, enrichment_warehouse
from sql_cases import SqlCase, fill, found, sql_cases

from mi_core.warehouse import Warehouse

FILLED = (*TABLES, "lead", "lake.score_run", "lake.user_intent_score")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = enrichment_warehouse(tmp_path_factory.mktemp("lake"))
    yield opened
    opened.close()


@pytest.mark.parametrize("case", [*sql_cases("enrichment")], ids=str)
def test_case(warehouse: Warehouse, case: SqlCase) -> None:
    for table in FILLED:
        fill(warehouse, table, case.given.get(table, []))
    assert sorted(found(warehouse, case), key=str) == sorted(case.expect, key=str)
