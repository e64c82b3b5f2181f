"""Rows for the report's tests, small enough to hold in the head."""

import re
import uuid
from datetime import datetime
from pathlib import Path

from mi_core import migrations
from mi_core.definitions import load_definitions
from mi_core.settings import Settings
from mi_core.warehouse import Warehouse

AS_OF = datetime(2024, 6, 30)


def person(name: str) -> str:
    """The id of a person of the tests."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def memory_lake(path: Path) -> Warehouse:
    """The lake's tables and the state's assignments in memory, and the package's definitions."""
    warehouse = Warehouse(path, Settings(threads=1))
    warehouse.sql("attach ':memory:' as state")
    warehouse.sql(
        "create table state.user_persona"
        " (user_id varchar, slug varchar, assigned_at timestamp, superseded_at timestamp)"
    )
    warehouse.sql("attach ':memory:' as lake")
    warehouse.sql("use lake")
    for step in migrations.LAKE.steps:
        # DuckDB's own tables know neither partitions nor an order.
        warehouse.sql(re.sub(r"alter table \w+ set [^;]*;", "", step.sql))
    warehouse.sql("use memory")
    warehouse.load_definitions(load_definitions())
    return warehouse


def put(warehouse: Warehouse, table: str, *rows: dict[str, object]) -> None:
    """Insert rows by column name."""
    warehouse.load_rows("sample_rows", rows)
    warehouse.sql(f"insert into {table} by name select * from sample_rows")


def event(name: str, at: str, event_name: str, etype: str | None = None, **more: object):
    """A row of user_event: `at` is a time of 2024."""
    return {
        "event_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {at} {event_name}")),
        "user_id": person(name),
        "event_name": event_name,
        "etype": etype,
        "occurred_at": f"2024-{at}",
        "channel": None,
        "value": None,
    } | more


def milestone(name: str, **at: str | None) -> dict[str, object]:
    """A row of user_milestone: times of 2024 by column."""
    return {"user_id": person(name)} | {
        column: f"2024-{value}" if value else None for column, value in at.items()
    }


def intent(name: str, score: float, level: str, *, persona: str = "student_early_career"):
    """A row of user_intent_score as of AS_OF."""
    return {
        "user_id": person(name),
        "as_of": AS_OF.isoformat(),
        "score": float(score),
        "level": level,
        "signals_count": 3,
        "top_signals": ["pricing_view", "page_view", "page_view"],
        "persona": persona,
        "persona_confidence": 0.5,
        "config_version": "test",
        "lake_snapshot": 1,
    }


def magnetism(name: str, band: str, *, churn_risk: int = 50, as_of: str = "06-30"):
    """A row of user_magnetism_index for 30 days."""
    return {
        "user_id": person(name),
        "as_of": f"2024-{as_of}",
        "time_window": "30d",
        "magnetism_index": 40.0,
        "band": band,
        "risk_level": "moderate",
        "churn_risk": churn_risk,
        "recommendations": ["win_back"],
        "config_version": "test",
        "lake_snapshot": 1,
    }


def fill(warehouse: Warehouse) -> None:
    """A quarter and the one before it of a small shop, with an event name that means harm."""
    people = [f"person {number:02}" for number in range(24)]
    for table, rows in {
        "user_event": [row for number, name in enumerate(people) for row in _history(number, name)],
        "user_milestone": [_first_times(number, name) for number, name in enumerate(people)],
        "score_run": [{"as_of": f"2024-{day}"} for day in ("05-01", "06-01", "06-30")],
        "user_intent_score": [_intent(number, name) for number, name in enumerate(people)],
        "user_magnetism_index": [
            _magnetism(number, name, as_of)
            for number, name in enumerate(people)
            for as_of in ("05-01", "06-01", "06-30")
        ],
        "ingest_batch": [
            {"batch_id": "a", "accepted": 96, "duplicates": 3, "withheld": 2, "rejected": 1}
        ],
    }.items():
        put(warehouse, f"lake.{table}", *rows)


def _history(number: int, name: str):
    """Everyone lands; half leave an address, a third try, a quarter buy, some a quarter earlier."""
    month = "02" if number % 5 == 0 else "05"
    yield event(name, f"{month}-03 10:00", "landing_view", "landing_view", channel="email")
    yield event(name, f"{month}-03 10:05", "<script>alert(1)</script>")
    if number % 2 == 0:
        yield event(name, f"{month}-04 10:00", "email_submitted", "email_submitted")
    if number % 3 == 0:
        yield event(name, f"{month}-05 10:00", "trial_started", "trial_started")
    if number % 4 == 0:
        yield event(name, f"{month}-06 10:00", "purchase", "purchase", value=1_250 * (number + 1))
    yield event(name, "06-29 12:00", "app_open", "app_open")


def _first_times(number: int, name: str) -> dict[str, object]:
    month = "02" if number % 5 == 0 else "05"
    return milestone(
        name,
        # The first of January, so that the lake covers the period before.
        first_event_at="01-01" if number == 0 else f"{month}-03 10:00",
        email_captured_at=f"{month}-04 10:00" if number % 2 == 0 else None,
        trial_started_at=f"{month}-05 10:00" if number % 3 == 0 else None,
        purchased_at=f"{month}-06 10:00" if number % 4 == 0 else None,
    )


def _intent(number: int, name: str) -> dict[str, object]:
    level = ("low", "medium", "high", "very_high")[number // 6]
    return intent(name, number * 4 + 5, level)


def _magnetism(number: int, name: str, as_of: str) -> dict[str, object]:
    warmer = number + 3 * (as_of > "05-31") + 3 * (as_of > "06-29")
    band = ("cold", "cooling", "warm", "hot")[min(3, warmer // 8)]
    return magnetism(name, band, churn_risk=100 - 4 * number, as_of=as_of)
