"""Small deliveries: into the inbox, and from there into the lake, once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from conftest import OpenWorkspace
from exports import Event, event, identify, lake_content, write_export

from mi_core.workspace import Workspace

NOW = datetime(2024, 7, 1, tzinfo=UTC)
KEYS = "k" * 32
OVERLAY = """
[events]
brewed = { etype = "feature_used", signal = "feature_click", engagement = true }
"$pageview" = { touch = false }
"""


def post(workspace: Workspace, *events: Event) -> tuple[int, int]:
    """Accepted and duplicates."""
    posted = workspace.post(events, received_at=NOW)
    assert posted.refused == {}
    return posted.accepted, posted.duplicates


def visit() -> list[Event]:
    return [
        event("$pageview", "anon", "05-01 10:00", {"utm_source": "google"}, session="s1"),
        event("$pageview", "anon", "05-01 10:05", session="s1"),
        identify("ann", "anon", "05-01 10:06", person="p1"),
        event("purchase", "ann", "06-02 09:00", {"price_cents": 1250}, person="p1"),
        event("brewed", "ann", "06-02 09:30"),
    ]


def test_an_event_is_posted_and_drained_once(any_workspace: Workspace):
    rows = visit()

    assert post(any_workspace, *rows, rows[0]) == (5, 1)
    assert post(any_workspace, *rows) == (0, 5)
    assert any_workspace.drain() == 5
    assert any_workspace.drain() == 0
    assert post(any_workspace, rows[0]) == (0, 1)
    assert any_workspace.sql("select count(*) from lake.user_event").item() == 5


def test_posted_events_are_as_exported_ones(
    any_workspace: Workspace, fresh: OpenWorkspace, tmp_path: Path
):
    keys = (any_workspace.path / "hash.keys").read_text().strip()
    exported = fresh(hash_keys=keys)
    exported.ingest([write_export(tmp_path / "visit.parquet", visit())])

    for row in reversed(visit()):
        post(any_workspace, row)
        any_workspace.drain()

    assert lake_content(any_workspace, without="source") == lake_content(exported, without="source")


def test_what_the_lake_has_from_an_export_is_not_drained_again(
    workspace: Workspace, tmp_path: Path
):
    workspace.ingest([write_export(tmp_path / "visit.jsonl", visit()[:3])])
    post(workspace, *visit())

    assert workspace.drain() == 2
    assert workspace.sql("select count(*) from lake.analytics_events").item() == 5


def test_a_late_arrival_opens_the_session_instead(workspace: Workspace):
    first, second = visit()[:2]
    post(workspace, second)
    workspace.drain()
    assert types(workspace) == {"05": ("landing_view", "direct")}

    post(workspace, first)
    workspace.drain()
    assert types(workspace) == {"00": ("landing_view", "organic_search"), "05": (None, None)}


def types(workspace: Workspace) -> dict[str, tuple[str | None, str | None]]:
    """Minute of the event → its type and channel."""
    rows = workspace.warehouse.sql(
        "select strftime(occurred_at, '%M'), etype, channel from lake.user_event"
    ).fetchall()
    return {minute: (etype, channel) for minute, etype, channel in rows}


def test_refused_events_are_told_by_position(workspace: Workspace):
    posted = workspace.post(
        [
            event(),
            event(who="guest"),
            event("shy", properties={"consent_analytics": False}),
            event("surrogate", properties={"plan": "\ud800"}),
            event("future") | {"timestamp": "2095-01-01T00:00:00Z", "created_at": None},
            event("elsewhere") | {"timestamp": "2024-05-01T10:00:00+02:00"},
        ],
        received_at=NOW,
    )

    assert posted.accepted == 1
    assert posted.refused == {
        1: "distinct_id is missing or a placeholder",
        2: "consent_analytics is false",
        3: "line is not JSON",
        4: "timestamp is after its arrival",
        5: "timestamp is not in UTC",
    }


def test_no_event_stops_the_drain(workspace: Workspace):
    odd = {"duration_ms": 1e300, "price_cents": "inf", "score": float("nan"), "plan": "\0"}
    post(workspace, event("purchase", properties=odd), event("purchase", key="next"))

    assert workspace.drain() == 2


def test_an_event_without_a_time_of_arrival_arrived_when_it_was_posted(workspace: Workspace):
    post(workspace, event() | {"created_at": None})
    workspace.drain()

    found = workspace.warehouse.sql("select received_at from lake.analytics_events").fetchone()
    assert found == (NOW.replace(tzinfo=None),)


def test_drained_rows_are_let_go_when_no_sender_repeats_them(any_workspace: Workspace):
    post(any_workspace, *visit())
    later = datetime(2024, 7, 9, tzinfo=UTC)

    assert any_workspace.state.prune_inbox(3, NOW) == 0
    assert any_workspace.state.prune_inbox(3, later) == 3
    assert any_workspace.drain() == 2


def test_other_definitions_type_the_events_again(fresh: OpenWorkspace, tmp_path: Path):
    export = write_export(tmp_path / "visit.jsonl", visit())
    before = fresh(hash_keys=KEYS)
    before.ingest([export])
    typed = lake_content(before)
    before.close()
    (before.path / "overlay.toml").write_text(OVERLAY)
    anew = fresh(hash_keys=KEYS)
    anew.close()
    (anew.path / "overlay.toml").write_text(OVERLAY)

    again, at_once = fresh(before.path, hash_keys=KEYS), fresh(anew.path, hash_keys=KEYS)
    again.drain()
    at_once.ingest([export])

    assert lake_content(again) == lake_content(at_once)
    assert lake_content(again)["user_event"] != typed["user_event"]
    assert (
        again.sql("select count(*) from lake.user_event where etype = 'feature_used'").item() == 1
    )


def test_a_thinned_scoring_is_gone_for_whoever_looks_for_one(workspace: Workspace) -> None:
    day = datetime(2024, 1, 1, tzinfo=UTC)
    sent = {"uuid": str(UUID(int=1)), "event": "app_open", "distinct_id": "ann", "properties": {}}
    workspace.post([sent | {"timestamp": "2024-01-01T00:00:00Z"}], received_at=day)
    workspace.drain()
    for hours in (1, 5.5, 7, 8, 24 * 20):
        workspace.score(day + timedelta(hours=hours, microseconds=hours == 5.5))
    edition = workspace.shelf.folder / "history" / "magnetism" / "2024-01-01T053000.html"
    edition.parent.mkdir(parents=True)
    edition.touch()
    (workspace.shelf.folder / "magnetism.html").touch()

    assert workspace.maintain().scorings_thinned == 2
    assert workspace.maintain().scorings_thinned == 0
    kept = [day + timedelta(hours=5.5, microseconds=1), day + timedelta(hours=8)]
    assert [workspace.scoring(day + timedelta(hours=hours)) for hours in (7.5, 9)] == kept
    for table in ("score_run", "user_intent_score", "user_magnetism_index"):
        held = workspace.sql(f"select distinct as_of from lake.{table} order by as_of limit 2")
        assert held["as_of"].to_list() == [each.replace(tzinfo=None) for each in kept]
    edition.unlink()
    assert workspace.maintain().scorings_thinned == 1


def test_a_long_inbox_is_drained_in_batches(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mi_core.ingest.inbox._BATCH", 2)
    post(workspace, *visit())

    assert workspace.drain() == 5
    watermark = workspace.warehouse.sql("from lake.ingest_watermark").fetchall()
    assert watermark == [(5,)]


def test_maintenance_keeps_scores_and_lets_the_inbox_go(workspace: Workspace) -> None:
    old = datetime(2024, 1, 1, tzinfo=UTC)
    sent = {"uuid": str(UUID(int=1)), "event": "app_open", "distinct_id": "ann", "properties": {}}
    workspace.post([sent | {"timestamp": "2024-01-01T00:00:00Z"}], received_at=old)
    workspace.drain()
    for hours in (1, 2, 24 * 20):
        workspace.score(old + timedelta(hours=hours))
    before = workspace.sql("select * from lake.user_intent_score where as_of > '2024-01-01 01:30'")
    done = workspace.maintain()
    assert (done.scorings_thinned, done.inbox_rows_pruned) == (1, 1)
    assert workspace.sql("from lake.user_intent_score order by as_of").equals(before.sort("as_of"))
    assert workspace.sql("select count(*) from lake.user_event").item() == 1


def test_an_event_whose_properties_are_none_is_refused_without_a_second_look(workspace: Workspace):
    opened = workspace._standing_door
    tries: list[int] = []
    one_by_one = opened._open
    opened._open = lambda *given: (tries.append(1), one_by_one(*given))[1]  # type: ignore[method-assign]
    told = workspace.post([event() | {"properties": odd} for odd in ("text", 5, [1], True, "")])

    assert set(told.refused.values()) == {"properties are not a JSON object with unique names"}
    assert len(tries) == 1
