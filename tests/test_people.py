"""What the state knows of people follows them when their user_id becomes another."""

from datetime import UTC, datetime
from pathlib import Path

from conftest import OpenWorkspace
from exports import event, identify, write_export

from mi_core.state import State
from mi_core.workspace import Workspace

SLUGS = ("automation_pro", "tech_entrepreneur", "student_early_career")
OLD, NEW, OTHER = (f"{n * 8}-0000-4000-8000-000000000000" for n in "123")


def assign(state: State, user_id: str, slug: str, day: int, source: str = "behavior_analysis"):
    moment = datetime(2024, 5, day, tzinfo=UTC)
    state.assign_personas([(user_id, slug, 0.5)], source=source, assigned_at=moment)


def assignments(workspace: Workspace) -> list[tuple[str, str, int, int | None]]:
    """user_id, slug, day assigned, day superseded."""
    return workspace.warehouse.sql(
        "select user_id, slug, day(assigned_at), day(superseded_at) from state.user_persona"
        " order by assigned_at, superseded_at nulls last, slug"
    ).fetchall()


def test_an_assignment_follows_with_its_history(any_workspace: Workspace):
    assign(any_workspace.state, OLD, SLUGS[0], 1)
    assign(any_workspace.state, OLD, SLUGS[1], 2)
    assign(any_workspace.state, OTHER, SLUGS[2], 3)

    any_workspace.state.move_people([(OLD, NEW)])

    assert assignments(any_workspace) == [
        (NEW, SLUGS[0], 1, 2),
        (NEW, SLUGS[1], 2, None),
        (OTHER, SLUGS[2], 3, None),
    ]


def test_the_stronger_assignment_wins_and_the_other_is_history(any_workspace: Workspace):
    assign(any_workspace.state, OLD, SLUGS[0], 1, source="manual")
    assign(any_workspace.state, NEW, SLUGS[1], 4)
    assign(any_workspace.state, OTHER, SLUGS[2], 6)

    any_workspace.state.move_people([(OLD, NEW), (OTHER, NEW)])

    assert assignments(any_workspace) == [
        (NEW, SLUGS[0], 1, None),
        (NEW, SLUGS[1], 4, 4),
        (NEW, SLUGS[2], 6, 6),
    ]


def test_of_equal_assignments_the_later_one_wins(any_workspace: Workspace):
    assign(any_workspace.state, NEW, SLUGS[0], 1)
    assign(any_workspace.state, OLD, SLUGS[1], 4)

    for _ in range(2):
        any_workspace.state.move_people([(OLD, NEW)])

    assert assignments(any_workspace) == [(NEW, SLUGS[0], 1, 4), (NEW, SLUGS[1], 4, None)]


def test_what_was_enriched_stays_and_costs_add_up(any_workspace: Workspace):
    insert = (
        "insert into user_identity (user_id, status, cost_micros, enriched_at, company_name)"
        " values ('{}', 'x', {}, {}, '{}')"
    )
    with any_workspace.state._write() as connection:
        for row in (
            (OLD, 30, "'2024-05-02 00:00:00'", "Acme"),
            (NEW, 20, "null", "Unknown"),
            (OTHER, 5, "null", "Else"),
        ):
            connection.exec_driver_sql(insert.format(*row))

    any_workspace.state.move_people([(OLD, NEW)])

    found = any_workspace.warehouse.sql(
        "select user_id, company_name, cost_micros from state.user_identity order by user_id"
    ).fetchall()
    assert found == [(NEW, "Acme", 50), (OTHER, "Else", 5)]


def test_an_assignment_follows_a_person_who_is_identified_later(
    fresh: OpenWorkspace, tmp_path: Path
):
    workspace = fresh(hash_keys="k" * 32)
    device, ann = (str(workspace.keys.hashes(name)[0]) for name in ("device", "ann"))
    workspace.ingest([write_export(tmp_path / "a.jsonl", [event(who="device", at="05-01")])])
    assign(workspace.state, device, SLUGS[0], 2)

    workspace.post([identify("ann", "device", "05-03")])
    workspace.drain()

    assert assignments(workspace) == [(ann, SLUGS[0], 2, None)]
    workspace.drain()
    assert assignments(workspace) == [(ann, SLUGS[0], 2, None)]
