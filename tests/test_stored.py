"""What scorings store for a look at one person is what a look at their events says."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from scoring_lake import publish_events, publish_merge
from scoring_reference import Event, random_people

from mi_core.attribution import touches
from mi_core.attribution.touches import removal_effects, removal_effects_to_store
from mi_core.person import Row, Scores, history_of, newest_of, view_person
from mi_core.scoring import More, score
from mi_core.stored import Stored, stored_scores
from mi_core.workspace import Workspace, open_workspace

AS_OF = datetime(2026, 3, 15, 5, tzinfo=UTC)
ANN, BOB = UUID(int=1), UUID(int=2)


def act(name: str, **ago: float) -> Event:
    return Event(name, AS_OF - timedelta(**ago))


def run(workspace: Workspace, as_of: datetime = AS_OF, more: More | None = None) -> None:
    stores = (workspace.warehouse, workspace.state, workspace.definitions)
    score(*stores, as_of=as_of, more=more)


def stored(workspace: Workspace, user_id: UUID) -> Stored:
    stores = (workspace.warehouse, workspace.state, workspace.definitions)
    return stored_scores(*stores, user_id)


def live(workspace: Workspace, user_id: UUID, as_of: datetime = AS_OF) -> dict[str, Any]:
    stores = (workspace.warehouse, workspace.state, workspace.definitions)
    return told(view_person(*stores, user_id, as_of=as_of))


def told(scores: Scores | None) -> dict[str, Any]:
    """What stored scores say, less what depends on when one looks."""
    assert scores is not None
    found = {each.name: scores.as_dict()[each.name] for each in fields(Scores)}
    found["intent"].pop("signals", None)
    return {name: value for name, value in found.items() if name != "lake_snapshot"}


def live_history(workspace: Workspace, ids: list[UUID], moment: datetime) -> list[Row]:
    newest = newest_of(workspace.warehouse, ids)
    return history_of(workspace.warehouse, ids[0], ids, moment, newest)


def days(workspace: Workspace, user_id: UUID, *former: UUID) -> list[tuple[int, int]]:
    """Day and hour of each point of the person's history."""
    moment = datetime(2026, 4, 1)
    newest = stored(workspace, user_id).scores
    rows = newest.history if newest else live_history(workspace, [user_id, *former], moment)
    return [(row["as_of"].day, row["as_of"].hour) for row in rows]


def test_everybody_has_the_scores_that_their_events_give(workspace: Workspace) -> None:
    people, as_of = random_people(11, size=12)
    publish_events(workspace.warehouse, people)
    for before in (9, 1, 0):
        run(workspace, as_of - timedelta(days=before))
    known = workspace.sql("select distinct user_id from lake.user_feature")["user_id"]
    assert len(known) > 8
    for each in map(UUID, known):
        assert told(stored(workspace, each).scores) == live(workspace, each, as_of)


def test_what_came_after_the_scoring_waits_for_the_next(workspace: Workspace) -> None:
    publish_events(workspace.warehouse, {ANN: [act("app_open", days=3)]})
    run(workspace)
    seen = live(workspace, ANN)
    publish_events(workspace.warehouse, {ANN: [act("pricing_view", days=2)]})
    assert told(stored(workspace, ANN).scores) == seen != live(workspace, ANN)
    run(workspace)
    assert told(stored(workspace, ANN).scores) == live(workspace, ANN)


def test_nobody_is_stored_whom_the_newest_scoring_has_not(workspace: Workspace) -> None:
    assert stored(workspace, ANN) == Stored(None)
    publish_events(workspace.warehouse, {ANN: [act("app_open", days=3)]})
    run(workspace)
    assert stored(workspace, BOB) == Stored(None)


def test_by_other_definitions_everybody_is_scored_anew(workspace: Workspace) -> None:
    at = {"distinct_id": "ann", "timestamp": "2026-03-12T00:00:00Z", "properties": {}}
    workspace.post([{"uuid": str(UUID(int=9)), "event": "app_open", **at}])
    workspace.drain()
    workspace.score(AS_OF)
    assert told(workspace.scores("ann")) == told(workspace.user("ann"))
    (workspace.path / "overlay.toml").write_text("[intent]\nrecency_max = 9.0\n")
    with open_workspace(workspace.path) as changed:
        assert changed.scores("ann").config_version == changed.definitions.version
        assert changed.scores("ann").intent.recency == 8


def test_a_newer_snapshot_of_the_person_is_looked_at_live(workspace: Workspace) -> None:
    at = {"distinct_id": "ann", "timestamp": "2026-03-12T00:00:00Z", "properties": {}}
    workspace.post([{"uuid": str(UUID(int=9)), "event": "app_open", **at}])
    workspace.drain()
    workspace.score(AS_OF)
    again = workspace.rescore("ann")
    assert workspace.scores("ann").as_of == again.as_of > AS_OF


def test_history_has_the_last_scoring_of_each_day(workspace: Workspace) -> None:
    publish_events(workspace.warehouse, {ANN: [act("app_open", days=20)]})
    for ago in (51, 50, 25, 24, 1, 0):
        run(workspace, AS_OF - timedelta(hours=ago))
    assert days(workspace, ANN) == [(13, 3), (14, 5), (15, 5)]
    # Scorings of the past: a day of its own, an earlier one of a day, a later one.
    for ago in (100, 26, 20):
        run(workspace, AS_OF - timedelta(hours=ago))
    assert days(workspace, ANN) == [(11, 1), (13, 3), (14, 9), (15, 5)]


def test_history_follows_who_became_another_after_the_scoring(workspace: Workspace) -> None:
    publish_events(workspace.warehouse, {ANN: [act("app_open", days=20)]})
    run(workspace, AS_OF - timedelta(days=2))
    run(workspace)
    publish_merge(workspace.warehouse, ANN, BOB)
    assert days(workspace, BOB, ANN) == [(13, 5), (15, 5)]
    run(workspace, AS_OF + timedelta(days=1))
    assert days(workspace, BOB) == [(13, 5), (15, 5), (16, 5)]
    run(workspace, AS_OF + timedelta(days=2))
    assert days(workspace, BOB) == [(13, 5), (15, 5), (16, 5), (17, 5)]
    assert told(stored(workspace, BOB).scores) == live(workspace, BOB, AS_OF + timedelta(days=2))


@pytest.fixture
def channels(workspace: Workspace) -> Workspace:
    """A workspace where twelve people came by two channels, and all but four converted."""
    events = []
    for number in range(12):
        way = [("ad_click", {"utm_source": "google", "utm_medium": "cpc"}), ("email_opened", {})]
        way = [*way[number % 3 == 0 :], *([("purchase", {})] if number % 3 else [])]
        events += [
            {
                "uuid": str(UUID(int=100 * number + place + 1)),
                "event": name,
                "distinct_id": f"person-{number}",
                "timestamp": f"2026-03-0{place + 1}T00:00:00Z",
                "properties": properties,
            }
            for place, (name, properties) in enumerate(way)
        ]
    (workspace.path / "overlay.toml").write_text("[attribution]\nmin_conversions = 1\n")
    workspace.post(events)
    return workspace


def test_removal_effects_are_stored_as_they_are_computed(
    channels: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workspace(channels.path, channels.settings) as workspace:
        workspace.drain()
        stores = (workspace.warehouse, workspace.definitions)
        by_hand = workspace.journey("person-1", as_of=AS_OF)
        workspace.score(AS_OF)
        kept = workspace.sql("select channel, removal_effect from lake.removal_effect")
        assert dict(kept.rows()) == removal_effects(*stores, as_of=AS_OF)
        assert len(kept) == 2

        def refused(*_: object, **__: object) -> dict[str, float]:
            raise AssertionError("computed")

        monkeypatch.setattr(touches, "removal_effects", refused)
        assert workspace.journey("person-1").credits == by_hand.credits
        with pytest.raises(AssertionError, match="computed"):
            workspace.journey("person-1", as_of=AS_OF + timedelta(days=1))


def test_that_the_model_abstained_is_stored_too(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_events(workspace.warehouse, {ANN: [act("ad_click", days=3), act("purchase", days=1)]})
    stores = (workspace.warehouse, workspace.definitions)
    run(workspace, more=removal_effects_to_store(*stores, as_of=AS_OF))
    monkeypatch.delattr(touches, "removal_effects")
    assert touches.stored_removal_effects(*stores, as_of=AS_OF) == {}
