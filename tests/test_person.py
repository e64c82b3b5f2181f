"""One person's view: the population's scores, with reasons, trend, forecast and cohort."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from scoring_lake import publish_events
from scoring_reference import Event, random_people

from mi_core.errors import UnknownPerson
from mi_core.person import Person, view_person
from mi_core.scoring import score
from mi_core.workspace import Workspace

AS_OF = datetime(2026, 3, 15, 5, tzinfo=UTC)
ANN, BOB = UUID(int=1), UUID(int=2)


def act(name: str, **ago: float) -> Event:
    return Event(name, AS_OF - timedelta(**ago))


def run(workspace: Workspace, as_of: datetime) -> None:
    score(workspace.warehouse, workspace.state, workspace.definitions, as_of=as_of)


def view(workspace: Workspace, user_id: UUID, as_of: datetime = AS_OF) -> Person:
    return view_person(
        workspace.warehouse, workspace.state, workspace.definitions, user_id, as_of=as_of
    )


def test_person_has_the_scores_of_the_population(workspace: Workspace) -> None:
    people, as_of = random_people(3, size=8)
    publish_events(workspace.warehouse, people)
    run(workspace, as_of)
    stored = workspace.sql(
        "select i.user_id, i.score, i.level, i.persona, m.magnetism_index, m.churn_risk,"
        " m.recommendations from lake.user_intent_score as i"
        " join lake.user_magnetism_index as m using (user_id) where time_window = '30d'"
    )
    for user_id, *expected in stored.iter_rows():
        found = view(workspace, UUID(user_id), as_of)
        magnet = found.magnetism["30d"]
        codes = [each.code for each in magnet.recommendations]
        assert [found.intent.score, found.intent.level, found.persona.behavior] == expected[:3]
        assert [magnet.index, magnet.churn_risk, codes] == expected[3:]


def test_person_is_explained(workspace: Workspace) -> None:
    publish_events(
        workspace.warehouse,
        {
            ANN: [
                act("app_open", days=20),
                act("pricing_view", days=1),
                act("pricing_view", days=2),
            ],
            BOB: [act("app_open", days=40)],
        },
    )
    for days in (10, 8, 0):
        run(workspace, AS_OF - timedelta(days=days))
    ann = view(workspace, ANN)
    assert [tuple(row.values())[:3] for row in ann.intent.signals] == [
        ("pricing_view", 2, 24.0),
        ("return_visit", 1, 5.0),
    ]
    assert len(ann.history) == 3
    # Eight days before: one app_open, 12 days old.
    assert ann.intent.trend is not None
    assert ann.intent.trend.direction == "increasing"
    assert ann.intent.trend.change == pytest.approx(ann.intent.score - (5 + 10 - 12 / 3))
    magnet = ann.magnetism["30d"]
    assert magnet.trend is not None
    assert magnet.forecast.trend == "improving"
    assert (magnet.cohort.percentile, magnet.cohort.above_average) == (100, True)


def test_trend_needs_a_snapshot_that_is_old_enough(workspace: Workspace) -> None:
    publish_events(workspace.warehouse, {ANN: [act("app_open", days=20)]})
    run(workspace, AS_OF - timedelta(days=6))
    ann = view(workspace, ANN)
    assert ann.intent.trend is None
    assert ann.magnetism["7d"].trend is None


def test_nobody_is_known_before_their_first_event(workspace: Workspace) -> None:
    publish_events(workspace.warehouse, {ANN: [act("app_open", days=0)]})
    with pytest.raises(UnknownPerson):
        view(workspace, ANN)
    with pytest.raises(UnknownPerson):
        view(workspace, BOB)


def test_a_person_is_found_by_any_id_and_by_the_one_that_reports_show(
    workspace: Workspace,
) -> None:
    at = "2026-03-01T00:00:00Z"
    link = {"$anon_distinct_id": "device-1"}
    workspace.post(
        [
            {"uuid": str(UUID(int=1)), "event": "$identify", "distinct_id": "ann", "timestamp": at}
            | {"properties": link}
        ]
    )
    workspace.drain()
    workspace.score(AS_OF)
    shown = workspace.user("ann")
    assert shown.as_of == AS_OF
    assert workspace.user("device-1") == workspace.user(shown.user_id) == shown
    with pytest.raises(UnknownPerson):
        workspace.user("eve")


def test_a_person_keeps_the_history_from_before_they_were_identified(workspace: Workspace) -> None:
    def post(number: int, name: str, distinct_id: str, day: int, **properties: str) -> None:
        event = {"uuid": str(UUID(int=number)), "event": name, "distinct_id": distinct_id}
        at = {"timestamp": f"2026-03-{day:02}T00:00:00Z", "properties": properties}
        workspace.post([event | at])
        workspace.drain()

    post(1, "app_open", "device-1", 1)
    workspace.score(AS_OF - timedelta(days=12))
    post(2, "$identify", "ann", 5, **{"$anon_distinct_id": "device-1"})
    workspace.score(AS_OF)
    ann = workspace.user("ann")
    assert [row["as_of"].day for row in ann.history] == [3, 15]
    assert ann.intent.trend is not None
