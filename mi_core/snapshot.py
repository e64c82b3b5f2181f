"""A snapshot of one person between two scorings of everybody, for who wants the score of right now.

It stands beside those of the scorings and counts as history. What is about everybody, such as a
report, a cohort or the next incremental scoring, goes by `score_run`, where it isn't.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from mi_core import scoring
from mi_core.definitions import Definitions
from mi_core.ingest.erased import again_if_overtaken, check_not_overtaken
from mi_core.person import stage_person
from mi_core.relations import relation_sql
from mi_core.state import State
from mi_core.warehouse import Warehouse

TABLES = ("user_intent_score", "user_magnetism_index")


@again_if_overtaken
def take_snapshot(
    warehouse: Warehouse,
    state: State,
    definitions: Definitions,
    user_id: UUID,
    *,
    as_of: datetime,
) -> None:
    """Score one person as of now, in place of their snapshots since the newest scoring.

    `as_of` has a time zone, and is after the newest scoring: one for the past would be history that
    nobody saw.

    Raises
    ------
    UnknownPerson
        The person has no event before `as_of`.
    """
    moment = scoring.naive_utc(as_of)
    with warehouse.reading() as snapshot:
        company = state.company_of(str(user_id), as_of)
        stage_person(warehouse, definitions, user_id, moment, company)
        scoring.stage_results(warehouse, definitions, moment, snapshot)
    run = {"as_of": moment, "config_version": definitions.version, "snapshot": snapshot}
    window = {"intent_window": scoring.intent_window(definitions)}
    with warehouse.publish(f"one person as of {moment:%Y-%m-%d %H:%M:%S}"):
        check_not_overtaken(warehouse, snapshot)
        _drop_older(warehouse, user_id, moment)
        _insert(warehouse, "user_intent_score", run | window)
        _insert(warehouse, "user_magnetism_index", run)
        scoring.add_day(warehouse)


def newest_snapshot(warehouse: Warehouse, user_id: UUID) -> datetime | None:
    """The instant of the person's snapshot after the newest scoring; None where there is none."""
    since = _scored_as_of(warehouse)
    row = warehouse.sql(
        "select max(as_of) from lake.user_intent_score where user_id = $user_id and as_of > $since",
        {"user_id": user_id, "since": since},
    ).fetchone()
    return row[0].replace(tzinfo=UTC) if row and row[0] else None


def _drop_older(warehouse: Warehouse, user_id: UUID, moment: datetime) -> None:
    """The person's snapshots since the newest scoring; of history, those of the day."""
    since = _scored_as_of(warehouse)
    for table in TABLES:
        warehouse.sql(
            f"delete from lake.{table} where user_id = $user_id and as_of > $since",
            {"user_id": user_id, "since": since},
        )
    warehouse.sql(
        "delete from lake.user_score_day where user_id = $user_id and as_of >= $day::date"
        " and as_of not in (select as_of from lake.score_run)",
        {"user_id": user_id, "day": moment},
    )


def _scored_as_of(warehouse: Warehouse) -> datetime:
    """The newest scoring's; before the first, a time before all."""
    row = warehouse.sql("select max(as_of) from lake.score_run").fetchone()
    return row[0] if row and row[0] else datetime.min


def _insert(warehouse: Warehouse, table: str, params: Mapping[str, Any]) -> None:
    warehouse.sql(
        f"insert into lake.{table} by name\n{relation_sql(f'scores/{table}')}", dict(params)
    )
