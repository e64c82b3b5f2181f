"""One person's snapshot of right now, and that what is about everybody doesn't take it for more."""

from datetime import UTC, datetime
from typing import Any

from api_people import AS_OF, BEFORE, act

from mi_core.acquisition import AcquisitionReport
from mi_core.workspace import Workspace

TABLES = ("user_intent_score", "user_magnetism_index")


def stored(workspace: Workspace, table: str) -> list[tuple[Any, ...]]:
    return workspace.sql(f"select as_of, count(*) from lake.{table} group by 1 order by 1").rows()


def test_a_snapshot_is_of_now_and_takes_in_what_waited(filled: Workspace):
    before = filled.user("ann")
    filled.post([act("ann", 0.1, "trial_started")])

    ann = filled.rescore("ann")

    assert before.as_of == AS_OF < ann.as_of <= datetime.now(UTC)
    assert ann.intent.score > before.intent.score
    instants = [row["as_of"].replace(tzinfo=UTC) for row in ann.history]
    assert instants == [BEFORE, AS_OF, ann.as_of]
    assert ann.history[-1]["magnetism_30d"] == ann.magnetism["30d"].index
    assert ann.history[-1]["magnetism_7d"] == ann.magnetism["7d"].index
    assert ann.history[-1]["intent_score"] == ann.intent.score
    # As of it, everything about the person is the same; others are looked at as of the scoring.
    assert filled.user("ann") == ann
    # A journey goes by what markov made of everybody at the newest scoring.
    assert filled.journey("ann").as_of == AS_OF
    assert filled.user("bob").as_of == AS_OF


def test_a_snapshot_gives_way_to_the_next_one_and_to_a_scoring(filled: Workspace):
    first, second = filled.rescore("ann").as_of, filled.rescore("ann").as_of
    for table, windows in zip(TABLES, (1, 2), strict=True):
        counts = dict(stored(filled, table))
        assert first.replace(tzinfo=None) not in counts
        assert counts[second.replace(tzinfo=None)] == windows

    later = second.replace(hour=23, minute=59, second=59, microsecond=999_999)
    filled.score(later)
    assert filled.user("ann").as_of == later
    # Of a day with several scorings, history has the last one, and the snapshot.
    instants = [row["as_of"].replace(tzinfo=UTC) for row in filled.user("ann").history]
    assert instants == [BEFORE, second, later]
    assert [row["as_of"].replace(tzinfo=UTC) for row in filled.scores("ann").history] == instants


def test_what_is_about_everybody_goes_by_scorings(filled: Workspace):
    cy = filled.rescore("cy")

    assert filled.scored_as_of() == AS_OF
    assert AcquisitionReport.read(filled, days=1).period.until == AS_OF.replace(tzinfo=None)
    # The cohort is that of the last scoring, where Cy has company, and weaker one.
    of_all = filled.user("cy", as_of=AS_OF).magnetism["30d"].cohort.cohort_average
    assert cy.magnetism["30d"].cohort.cohort_average == of_all
    assert of_all < cy.magnetism["30d"].index - 2
    assert filled.sql("select max(as_of) from lake.mv_user_magnetism_30d").item() == (
        AS_OF.replace(tzinfo=None)
    )


def test_an_incremental_scoring_after_it_gives_what_a_full_one_gives(filled: Workspace):
    filled.post([act("ann", 0.1, "trial_started")])
    filled.rescore("ann")
    end = datetime.now(UTC)

    def scores(full: bool) -> list[tuple[Any, ...]]:
        summary = filled.score(end, full=full)
        assert summary.mode == ("full" if full else "incremental")
        query = (
            "select i.*, m.* from lake.user_intent_score as i"
            " join lake.user_magnetism_index as m using (user_id, as_of)"
            f" where as_of = '{end.replace(tzinfo=None)}' order by all"
        )
        return filled.sql(query).drop("lake_snapshot", "lake_snapshot_1").rows()

    assert scores(full=False) == scores(full=True)


def test_before_the_first_scoring_there_can_be_a_snapshot(workspace: Workspace):
    workspace.post([act("ann", 1, "app_open")])

    ann = workspace.rescore("ann")
    assert workspace.user("ann") == ann
    assert workspace.scored_as_of() is None
