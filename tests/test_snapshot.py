"""One person's snapshot of right now, and that what is about everybody doesn't take it for more."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api_people import act

from mi_core.acquisition import AcquisitionReport
from mi_core.errors import UnknownPerson
from mi_core.scoring import thin_snapshots
from mi_core.workspace import Workspace

NOW = datetime.now(UTC)
SCORED = NOW - timedelta(hours=6)
TABLES = ("user_intent_score", "user_magnetism_index")


def post(workspace: Workspace, who: str, name: str, **ago: float) -> None:
    days = timedelta(**ago) / timedelta(days=1)
    workspace.post([act(who, days, name, {}, as_of=NOW)])


@pytest.fixture
def scored(workspace: Workspace) -> Workspace:
    """Ann and Bob, scored ten days ago and six hours ago."""
    post(workspace, "ann", "app_open", days=20)
    post(workspace, "bob", "app_open", days=15)
    workspace.drain()
    workspace.score(SCORED - timedelta(days=10))
    workspace.score(SCORED)
    return workspace


def stored(workspace: Workspace, table: str) -> list[tuple[Any, ...]]:
    return workspace.sql(f"select as_of, count(*) from lake.{table} group by 1 order by 1").rows()


def test_a_snapshot_is_of_now_and_takes_in_what_waited(scored: Workspace):
    before = scored.user("ann")
    post(scored, "ann", "trial_started", hours=1)

    ann = scored.rescore("ann")

    assert before.as_of == SCORED < ann.as_of <= datetime.now(UTC)
    assert ann.intent.score > before.intent.score
    assert [row["as_of"].replace(tzinfo=UTC) for row in ann.history][1:] == [SCORED, ann.as_of]
    assert ann.history[-1]["magnetism_30d"] == ann.magnetism["30d"].index
    assert ann.history[-1]["magnetism_7d"] == ann.magnetism["7d"].index
    assert ann.history[-1]["intent_score"] == ann.intent.score
    # As of it, everything about the person is the same; others are looked at as of the scoring.
    assert scored.user("ann") == ann
    assert scored.journey("ann").as_of == ann.as_of
    assert scored.user("bob").as_of == SCORED


def test_a_snapshot_gives_way_to_the_next_one_and_to_a_scoring(scored: Workspace):
    first = scored.rescore("ann")
    second = scored.rescore("ann")
    for table, windows in zip(TABLES, (1, 2), strict=True):
        counts = dict(stored(scored, table))
        assert first.as_of.replace(tzinfo=None) not in counts
        assert counts[second.as_of.replace(tzinfo=None)] == windows

    scored.score(datetime.now(UTC))
    assert scored.user("ann").as_of == scored.scored_as_of()
    assert len(scored.user("ann").history) == 4


def test_what_is_about_everybody_goes_by_scorings(scored: Workspace):
    ann = scored.rescore("ann")

    assert scored.scored_as_of() == SCORED
    assert AcquisitionReport.read(scored, days=1).period.until == SCORED.replace(tzinfo=None)
    # The cohort is that of the last scoring, in which there are two.
    cohort = ann.magnetism["30d"].cohort
    assert cohort == scored.user("ann", as_of=SCORED).magnetism["30d"].cohort
    assert scored.sql("select max(as_of) from lake.mv_user_magnetism_30d").item() == (
        SCORED.replace(tzinfo=None)
    )


def test_an_incremental_scoring_after_it_gives_what_a_full_one_gives(scored: Workspace):
    post(scored, "ann", "trial_started", hours=1)
    scored.rescore("ann")
    end = datetime.now(UTC)

    def scores(full: bool) -> list[tuple[Any, ...]]:
        summary = scored.score(end, full=full)
        assert summary.mode == ("full" if full else "incremental")
        return scored.sql(
            "select i.*, m.* from lake.user_intent_score as i join lake.user_magnetism_index as m"
            f" using (user_id, as_of) where as_of = '{end.replace(tzinfo=None)}' order by all"
        ).drop("lake_snapshot", "lake_snapshot_1").rows()

    assert scores(full=False) == scores(full=True)


def test_a_snapshot_that_a_scoring_of_its_day_came_after_is_thinned(scored: Workspace):
    ann = scored.rescore("ann")
    later = ann.as_of.replace(hour=23, minute=59, second=59, microsecond=999_999)
    scored.score(later)
    scored.score(later + timedelta(days=8))

    thin_snapshots(scored.warehouse, keep_days=7)

    kept = [as_of for as_of, _ in stored(scored, "user_intent_score")]
    assert ann.as_of.replace(tzinfo=None) not in kept
    assert later.replace(tzinfo=None) in kept


def test_before_the_first_scoring_there_can_be_a_snapshot(workspace: Workspace):
    post(workspace, "ann", "app_open", hours=1)

    ann = workspace.rescore("ann")
    assert workspace.user("ann") == ann
    assert workspace.scored_as_of() is None
    with pytest.raises(UnknownPerson):
        workspace.rescore("eve")
