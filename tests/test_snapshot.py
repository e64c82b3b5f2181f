"""One person's snapshot of right now, and that what is about everybody doesn't take it for more."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from api_people import AS_OF, BEFORE, act

from mi_core.person import Person
from mi_core.settings import load_settings
from mi_core.stories.acquisition import AcquisitionReport
from mi_core.workspace import Workspace, open_workspace

TABLES = ("user_intent_score", "user_magnetism_index")


@pytest.fixture(scope="module")
def looked_at(filled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Where Cy, who has just started a trial, has been scored since; tests only read it."""
    folder = tmp_path_factory.mktemp("looked_at") / "workspace"
    shutil.copytree(filled_folder, folder)
    with open_workspace(folder, settings=load_settings(threads=1)) as opened:
        opened.post([act("cy", 0.1, "trial_started")])
        opened.rescore("cy")
        yield opened


@pytest.fixture(scope="module")
def cy(looked_at: Workspace) -> Person:
    return looked_at.user("cy")


def stored(workspace: Workspace, table: str) -> list[tuple[Any, ...]]:
    return workspace.sql(f"select as_of, count(*) from lake.{table} group by 1 order by 1").rows()


def instants(person: Any) -> list[datetime]:
    return [row["as_of"].replace(tzinfo=UTC) for row in person.history]


def test_a_snapshot_is_of_now_and_takes_in_what_waited(looked_at: Workspace, cy: Person):
    assert AS_OF < cy.as_of <= datetime.now(UTC)
    assert instants(cy) == [BEFORE, AS_OF, cy.as_of]
    assert cy.intent.score > cy.history[1]["intent_score"] + 20
    assert cy.history[-1]["intent_score"] == cy.intent.score
    for window in ("7d", "30d"):
        assert cy.history[-1][f"magnetism_{window}"] == cy.magnetism[window].index
    assert looked_at.scores("cy").magnetism == cy.magnetism


def test_what_is_about_everybody_goes_by_scorings(looked_at: Workspace, cy: Person):
    assert looked_at.scored_as_of() == AS_OF
    assert looked_at.scores("bob").as_of == AS_OF
    assert AcquisitionReport.read(looked_at, days=1).period.until == AS_OF.replace(tzinfo=None)
    newest = looked_at.sql("select max(as_of) from lake.mv_user_magnetism_30d").item()
    assert newest == AS_OF.replace(tzinfo=None)
    # The cohort is that of the last scoring, where Cy has company, and weaker one.
    of_all = looked_at.user("cy", as_of=AS_OF).magnetism["30d"].cohort.cohort_average
    assert cy.magnetism["30d"].cohort.cohort_average == of_all < cy.magnetism["30d"].index - 2


def test_a_snapshot_gives_way_to_the_next_one_and_to_a_scoring(filled: Workspace):
    filled.post([act("ann", 0.1, "trial_started")])
    first, second = filled.rescore("ann").as_of, filled.rescore("ann").as_of
    for table, windows in zip(TABLES, (1, 2), strict=True):
        counts = dict(stored(filled, table))
        assert first.replace(tzinfo=None) not in counts
        assert counts[second.replace(tzinfo=None)] == windows

    later = second + timedelta(microseconds=1)

    def scores(full: bool) -> list[tuple[Any, ...]]:
        summary = filled.score(later, full=full)
        assert summary.mode == ("full" if full else "incremental")
        query = (
            "select i.*, m.* from lake.user_intent_score as i"
            " join lake.user_magnetism_index as m using (user_id, as_of)"
            f" where as_of = '{later.replace(tzinfo=None)}' order by all"
        )
        return filled.sql(query).drop("lake_snapshot", "lake_snapshot_1").rows()

    # An incremental scoring doesn't take it for one of everybody's.
    assert scores(full=False) == scores(full=True)
    # Of a day with several scorings, history has the last one, and the snapshot.
    assert instants(filled.scores("ann")) == [BEFORE, second, later]


def test_before_the_first_scoring_there_can_be_a_snapshot(workspace: Workspace):
    workspace.post([act("ann", 1, "app_open")])

    ann = workspace.rescore("ann")

    assert instants(ann) == [ann.as_of]
    assert workspace.scored_as_of() is None
