"""The relations of the watch, on rows small enough to hold in the head."""

from collections.abc import Iterator

import pytest
from report_samples import memory_lake
from sql_cases import SqlCase, fill, found, sql_cases

from mi_core.warehouse import Warehouse

TABLES = (
    "lake.user_event",
    "lake.analytics_events",
    "lake.event_delivery",
    "lake.user_milestone",
    "lake.score_run",
    "lake.user_intent_score",
    "lake.user_magnetism_index",
    "lake.ingest_watermark",
    "lake.ingest_batch",
    "lake.pull_window",
    "state.inbox",
    "state.alert",
    "state.alert_change",
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = memory_lake(tmp_path_factory.mktemp("lake"))
    opened.sql("create table state.inbox (seq bigint, received_at timestamp)")
    opened.sql("create table state.alert (name varchar, seen_at timestamp)")
    opened.sql(
        "create table state.alert_change (name varchar, changed_at timestamp, status varchar)"
    )
    yield opened
    opened.close()


@pytest.mark.parametrize("case", [*sql_cases("monitoring")], ids=str)
def test_case(warehouse: Warehouse, case: SqlCase):
    for table in TABLES:
        fill(warehouse, table, case.given.get(table, []))

    assert found(warehouse, case) == case.expect
