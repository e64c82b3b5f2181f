"""Cases without a lake, of people whose outcome follows a rule that is known; and a small lake."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
from retention_lake import MemoryWarehouse, retention_warehouse
from scoring_lake import put_events
from scoring_reference import NAMES, Event

from mi_core.definitions import Persona, PersonaRule, load_definitions
from mi_core.tuning import Cases
from mi_core.tuning.cases import cases

DEFINITIONS = load_definitions()
BEGIN = datetime(2024, 1, 1)
HORIZON = 28


def two_personas(**rule: Any) -> dict[str, Persona]:
    """Buyers, of high intent by one rule, and everybody else."""

    def made(slug: str, position: int, level: str, **stated: Any) -> Persona:
        return Persona(
            slug=slug,
            position=position,
            label=slug,
            description="",
            intent_level=level,
            traits=(),
            confidence=0.5,
            rule=PersonaRule(**stated),
        )

    return {"buyer": made("buyer", 1, "high", **rule), "other": made("other", 2, "low")}


def drawn_frame(rng: np.random.Generator, people: int, instants: int = 8) -> pl.DataFrame:
    """Cases of people by chance, without outcome or label: parts of the score are whole numbers."""
    size = people * instants
    signals = rng.choice(["trial_start", "pricing_view", "page_view"], size)
    sizes = rng.integers(1, 2000, size)
    steps = np.datetime64(BEGIN, "us") + np.arange(instants) * np.timedelta64(14, "D")
    ids = [str(UUID(int=int(number))) for number in rng.permutation(people)]
    return pl.DataFrame(
        {
            "user_id": np.repeat(ids, instants),
            "as_of": pl.Series(np.tile(steps, people)).cast(pl.Datetime("us")),
            "score": rng.integers(0, 101, size),
            "engagement": rng.integers(0, 60, size),
            "purchase_intent": rng.integers(0, 60, size),
            "recency": rng.integers(0, 11, size),
            "frequency": rng.integers(0, 16, size),
            "company_size": pl.Series(sizes).set(pl.Series(rng.random(size) < 0.3), None),
            "top_signals": pl.Series(signals).reshape((size, 1)).arr.to_list(),
            "label": pl.Series([None] * size, dtype=pl.String),
            "label_source": pl.Series([None] * size, dtype=pl.String),
        }
    )


def drawn_outcomes(rng: np.random.Generator, chance: np.ndarray) -> pl.Series:
    return pl.Series("outcome", rng.random(len(chance)) < chance)


def cases_of(frame: pl.DataFrame, outcome: str = "purchase", definitions: Any = None) -> Cases:
    """Cases with this frame."""
    return Cases(
        frame=frame,
        present=frame.with_columns(pl.lit(None, pl.Boolean).alias("outcome")),
        outcome=outcome,
        horizon_days=HORIZON,
        instants=tuple(frame["as_of"].unique().sort()),
        left_out="",
        definitions=definitions or DEFINITIONS,
        lake_snapshot=0,
    )


def random_history(seed: int, people: int, days: int) -> dict[UUID, list[Event]]:
    """Events of each person over so many days from BEGIN on."""
    chance = random.Random(seed)
    return {
        UUID(int=number): [
            Event(
                chance.choice(NAMES),
                BEGIN + timedelta(seconds=chance.randrange(days * 86_400)),
                chance.choice(["instagram", "direct", None]),
                chance.choice([None, None, 0, 30_000, 90_001, 3_600_000]),
            )
            for _ in range(chance.choice([2, 10, 60]))
        ]
        for number in range(people)
    }


def filled_lake(path: Path, history: dict[UUID, list[Event]]) -> MemoryWarehouse:
    warehouse = retention_warehouse(path)
    fill_lake(warehouse, history)
    return warehouse


def fill_lake(warehouse: MemoryWarehouse, history: dict[UUID, list[Event]]) -> None:
    """Make these the lake's events."""
    warehouse.sql("create or replace temp table scope_event as from lake.user_event limit 0")
    put_events(warehouse, history, into="scope_event")
    milestones = warehouse.stage("made_milestone", "scores/milestone")
    assert milestones
    for table, rows in (("user_event", "scope_event"), ("user_milestone", "made_milestone")):
        warehouse.sql(f"delete from lake.{table}")
        warehouse.sql(f"insert into lake.{table} by name from {rows}")


def cases_in(warehouse: MemoryWarehouse, outcome: str = "purchase", **asked: Any) -> Cases:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    return cases(warehouse, DEFINITIONS, outcome, **{"now": now, "horizon_days": HORIZON, **asked})
