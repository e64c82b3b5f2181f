"""The relations of cases, on rows small enough to hold in the head."""

from collections.abc import Iterator

import pytest
from scoring_lake import memory_warehouse
from sql_cases import SqlCase, fill, found, sql_cases

from mi_core.definitions import load_definitions
from mi_core.warehouse import Warehouse

TABLES = (
    *("scope_event", "feature", "company", "intent", "persona_score", "magnetism"),
    *("label", "outcome", "lake.user_event", "lake.user_milestone", "state.user_persona"),
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = memory_warehouse(tmp_path_factory.mktemp("lake"), load_definitions())
    opened.sql("create temp table label (user_id uuid, label varchar, label_source varchar)")
    opened.sql("create temp table outcome (user_id uuid, outcome boolean)")
    yield opened
    opened.close()


@pytest.mark.parametrize("case", [*sql_cases("tuning")], ids=str)
def test_case(warehouse: Warehouse, case: SqlCase) -> None:
    for table in TABLES:
        fill(warehouse, table, case.given.get(table, []))
    assert sorted(found(warehouse, case), key=str) == sorted(case.expect, key=str)
