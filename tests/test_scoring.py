"""Scoring runs on a lake: incremental and full come to the same, and the past stays past."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from scoring_lake import publish_events, publish_merge
from scoring_reference import Event, random_event

from mi_core import scoring
from mi_core.attribution.touches import removal_effects_to_store
from mi_core.definitions import definitions_from_config
from mi_core.erasure.places import LAKE
from mi_core.scoring import ScoreSummary, score
from mi_core.snapshot import take_snapshot
from mi_core.warehouse import Warehouse
from mi_core.workspace import Workspace, open_workspace

AS_OF = datetime(2026, 3, 15, 5, tzinfo=UTC)
ANN, BOB, EVE = (UUID(int=number) for number in range(3))
PUBLISHED = {
    "user_feature": "feature",
    "user_intent_score": "user_intent_score",
    "user_magnetism_index": "user_magnetism_index",
    "mv_user_magnetism_7d": "mv_user_magnetism_7d",
    "mv_user_magnetism_30d": "mv_user_magnetism_30d",
    "magnetism_cohort": "magnetism_cohort",
    "mv_persona_performance": "mv_persona_performance",
    "mv_daily_funnel": "mv_daily_funnel",
    "removal_effect": "removal_effect",
    "chain_step": "chain_step",
}


def number_id(number: int) -> UUID:
    """The id of a person, spread over the buckets."""
    return UUID(int=(number % 16 << 124) + number)


def run(workspace: Workspace, as_of: datetime, *, full: bool = False) -> ScoreSummary:
    return score(
        workspace.warehouse, workspace.state, workspace.definitions, as_of=as_of, full=full
    )


def published(workspace: Workspace, table: str, as_of: datetime) -> list[Any]:
    """The rows of a table of the lake, of this run only; the snapshot may differ between runs."""
    rows = workspace.sql(f"from lake.{table}").to_dicts()
    moment = scoring.naive_utc(as_of)
    return sorted(
        str({name: value for name, value in row.items() if name != "lake_snapshot"})
        for row in rows
        if row.get("as_of", moment) == moment
    )


def act(name: str, as_of: datetime = AS_OF, **ago: float) -> Event:
    return Event(name, as_of - timedelta(**ago))


def publish_some(workspace: Workspace, chance: random.Random, as_of: datetime) -> None:
    """Events of some people, and with a little chance what else may come between two scorings."""
    warehouse, is_first = workspace.warehouse, as_of == AS_OF
    people = {
        number_id(chance.randrange(25)): [random_event(chance, as_of) for _ in range(6)]
        for _ in range(12 if is_first else chance.choice([0, 3, 12]))
    }
    if people:
        publish_events(warehouse, people)
    if is_first:
        return
    if chance.random() < 0.4:
        publish_merge(warehouse, *map(number_id, chance.sample(range(25), 2)))
    if people and chance.random() < 0.4:
        stores = (warehouse, workspace.state, workspace.definitions)
        take_snapshot(*stores, min(people), as_of=as_of)
    if chance.random() < 0.3:
        warehouse.maintain()


def erase(warehouse: Warehouse, user_id: UUID) -> None:
    """Delete a person's rows, and history with them."""
    tables = [place.table for place in LAKE if place.columns == ("user_id",)]
    for table in tables:
        warehouse.sql(f"delete from lake.{table} where user_id = $user_id", {"user_id": user_id})
    warehouse.sql("call ducklake_expire_snapshots('lake', older_than => now())")


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEPS = (timedelta(0), timedelta(microseconds=1), HOUR, 5 * HOUR, DAY, 7 * DAY, 10 * DAY)


@pytest.mark.usefixtures("all_cores")
@pytest.mark.parametrize("seed", [0])
def test_incremental_runs_come_to_what_full_runs_do(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(scoring, "_MANY_FILES", 4)
    config = workspace.definitions.config()
    config["attribution"]["min_conversions"] = 1
    workspace.definitions = definitions_from_config(json.dumps(config))
    stores = (workspace.warehouse, workspace.state, workspace.definitions)
    chance = random.Random(seed)
    as_of, reasons, effects = AS_OF, [], 0
    for number, step in enumerate([timedelta(0), HOUR, *chance.sample(STEPS, 4)]):
        as_of += step
        publish_some(workspace, chance, as_of)
        if number == 3:
            erase(workspace.warehouse, number_id(chance.randrange(25)))
        more = removal_effects_to_store(*stores[::2], as_of=as_of)
        reasons.append(score(*stores, as_of=as_of, more=more).reason)
        if number % 2:  # What was carried on wrongly would be so still at the next run.
            incremental = {table: published(workspace, table, as_of) for table in PUBLISHED}
            assert score(*stores, as_of=as_of, full=True, more=more).mode == "full"
            assert incremental == {table: published(workspace, table, as_of) for table in PUBLISHED}
            effects = max(effects, len(incremental["removal_effect"]))
    assert [reason for reason in reasons if reason] == ["first run", reasons[3]]
    assert "history" in reasons[3]
    assert effects > 1


def test_incremental_run_computes_only_those_who_changed(workspace: Workspace) -> None:
    warehouse = workspace.warehouse
    publish_events(
        warehouse,
        {
            ANN: [act("app_open", days=3)],
            BOB: [act("app_open", days=3)],
            EVE: [act("app_open", days=7)],
        },
    )
    first = run(workspace, AS_OF)
    assert (first.mode, first.reason, first.users_recomputed) == ("full", "first run", 3)
    nothing = run(workspace, AS_OF)
    assert (nothing.mode, nothing.users_scored, nothing.users_recomputed) == ("incremental", 3, 0)
    publish_events(warehouse, {ANN: [act("pricing_view", days=20)]})
    # One event is late, and one leaves the last seven days.
    assert run(workspace, AS_OF + timedelta(microseconds=1)).users_recomputed == 2
    query = "select user_id from lake.user_feature order by snapshot_id, user_id, time_window"
    assert workspace.sql(query)["user_id"].to_list() == [
        str(p) for p in (BOB, BOB, ANN, ANN, EVE, EVE)
    ]


def test_full_run_says_why(workspace: Workspace) -> None:
    publish_events(workspace.warehouse, {ANN: [act("app_open", days=3)]})
    assert run(workspace, AS_OF).reason == "first run"
    assert run(workspace, AS_OF, full=True).reason == "asked for"
    assert "later instant" in run(workspace, AS_OF - timedelta(days=1)).reason
    assert "10 days" in run(workspace, AS_OF + timedelta(days=11)).reason
    config = workspace.definitions.config()
    config["intent"]["recency_max"] = 9.0
    workspace.definitions = definitions_from_config(json.dumps(config))
    assert "definitions" in run(workspace, AS_OF + timedelta(days=11)).reason


def test_full_run_where_history_was_erased(workspace: Workspace) -> None:
    warehouse = workspace.warehouse
    publish_events(warehouse, {ANN: [act("app_open", days=3)]})
    run(workspace, AS_OF)
    warehouse.sql("call ducklake_expire_snapshots('lake', older_than => now())")
    assert "history" in run(workspace, AS_OF).reason


def test_run_for_the_past_leaves_the_present(workspace: Workspace) -> None:
    publish_events(
        workspace.warehouse, {ANN: [act("app_open", days=3), act("landing_view", days=5)]}
    )
    run(workspace, AS_OF)
    present = workspace.sql("from lake.mv_user_magnetism_30d").rows()
    features = workspace.sql("from lake.user_feature").rows()
    earlier = run(workspace, AS_OF - timedelta(days=4))
    assert earlier.personas_changed == 0
    assert workspace.sql("from lake.mv_user_magnetism_30d").rows() == present
    assert workspace.sql("from lake.user_feature").rows() == features
    assert workspace.sql("select count(distinct as_of) from lake.user_intent_score").item() == 2


def test_scoring_again_replaces_the_snapshot(workspace: Workspace) -> None:
    publish_events(workspace.warehouse, {ANN: [act("app_open", days=3)]})
    run(workspace, AS_OF)
    run(workspace, AS_OF)
    assert len(workspace.sql("from lake.user_intent_score")) == 1
    assert len(workspace.sql("from lake.user_magnetism_index")) == 2


def test_personas_follow_behaviour_unless_somebody_said_otherwise(workspace: Workspace) -> None:
    publish_events(
        workspace.warehouse,
        {ANN: [act("trial_started", days=1)], BOB: [act("trial_started", days=1)]},
    )
    workspace.state.assign_personas(
        [(str(BOB), "corporate_executive", 1.0)], source="manual", assigned_at=AS_OF
    )
    assert run(workspace, AS_OF).personas_changed == 1
    assert run(workspace, AS_OF).personas_changed == 0
    later = AS_OF + timedelta(days=60)
    assert run(workspace, later).personas_changed == 1
    kept = workspace.sql("select user_id, slug, superseded_at from state.user_persona order by all")
    assert [row[:2] for row in kept.rows()] == [
        (str(ANN), "student_early_career"),
        (str(ANN), "tech_entrepreneur"),
        (str(BOB), "corporate_executive"),
    ]
    assert [row[2] is None for row in kept.rows()] == [True, False, True]


def test_instant_without_a_zone_is_refused(workspace: Workspace) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        run(workspace, datetime(2026, 3, 15))


def test_marks_of_touched_people_go_once_they_are_seen(workspace: Workspace) -> None:
    def marks() -> int:
        return workspace.sql("select count(*) from lake.touched_user").item()

    publish_events(workspace.warehouse, {ANN: [act("app_open", days=3)]})
    assert marks() == 1
    run(workspace, AS_OF)
    assert marks() == 0
    publish_events(workspace.warehouse, {ANN: [act("app_open", days=2)]})
    run(workspace, AS_OF - timedelta(days=1))
    assert marks() == 1
    assert run(workspace, AS_OF).users_recomputed == 1
    assert marks() == 0


def test_run_that_was_overtaken_leaves_what_the_other_published(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_events(workspace.warehouse, {ANN: [act("app_open", days=3)]})
    run(workspace, AS_OF)
    slow = workspace.warehouse.publish

    @contextmanager
    def overtaken(message: str) -> Iterator[None]:
        with open_workspace(workspace.path) as other:
            publish_events(other.warehouse, {ANN: [act("trial_started", days=1)]})
            run(other, AS_OF)
        with slow(message):
            yield

    with monkeypatch.context() as patch:
        patch.setattr(workspace.warehouse, "publish", overtaken)
        run(workspace, AS_OF)
    left = {table: published(workspace, table, AS_OF) for table in PUBLISHED}
    run(workspace, AS_OF)
    assert left == {table: published(workspace, table, AS_OF) for table in PUBLISHED}
    run(workspace, AS_OF, full=True)
    assert left == {table: published(workspace, table, AS_OF) for table in PUBLISHED}


def test_many_changed_people_are_a_full_run(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "_MANY_PEOPLE", 1)
    publish_events(workspace.warehouse, {ANN: [act("app_open", days=3)]})
    run(workspace, AS_OF)
    publish_events(workspace.warehouse, {ANN: [act("app_open", days=2)]})
    assert run(workspace, AS_OF).mode == "incremental"
    publish_events(workspace.warehouse, {p: [act("app_open", days=2)] for p in (ANN, BOB)})
    done = run(workspace, AS_OF)
    assert (done.mode, done.reason) == ("full", "2 of 2 people have changed")
