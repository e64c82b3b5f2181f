"""The relations of paths and credit on rows small enough to hold in the head."""

from collections.abc import Iterator
from typing import Any

import pytest
from scoring_lake import EPOCH, memory_warehouse
from sql_cases import SqlCase, fill, found, sql_cases

from mi_core.attribution.paths import Scope, stage_paths
from mi_core.attribution.statistics import touch_parameters
from mi_core.definitions import load_definitions
from mi_core.warehouse import Warehouse

TABLES = (
    *("scope_touchpoint", "scope_conversion", "scope_lead"),
    *("journey", "known_persona", "path_touch"),
    *("path_key", "path_step", "touch_credit"),
    *("lake.user_event", "lake.campaign_spend", "state.user_persona"),
    "path_row",
)

PATH_ROW = "journey_id bigint, path varchar[], conversions varchar, nulls varchar, value varchar"

VIEWS = ("views/touchpoint", "views/conversion")

CASES = [
    *(case for case in sql_cases("views") if case.relation in VIEWS),
    *sql_cases("journeys"),
    *sql_cases("attribution"),
]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    definitions = load_definitions()
    opened = memory_warehouse(tmp_path_factory.mktemp("lake"), definitions)
    stage_paths(opened, Scope(EPOCH, EPOCH), definitions.attribution)
    parameters = touch_parameters(definitions.attribution)
    opened.stage("touch_credit", "attribution/touch_credit", **parameters)
    for view in ("touchpoint", "conversion"):
        opened.sql(f"create temp table scope_{view} as from {view} limit 0")
    opened.sql("create temp table scope_lead as from lake.user_milestone limit 0")
    opened.sql(f"create temp table path_row ({PATH_ROW})")
    yield opened
    opened.close()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(warehouse: Warehouse, case: SqlCase) -> None:
    for table in TABLES:
        fill(warehouse, table, case.given.get(table, []))
    expect = sorted(case.expect, key=str)
    assert sorted(map(rounded, found(warehouse, case)), key=str) == expect


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 6) if isinstance(v, float) else v for k, v in row.items()}
