"""The verb of a workspace, on an export: it writes nothing, and says what a scoring would."""

from datetime import UTC, timedelta

import pytest

from mi_core import tuning
from mi_core.synthetic import generate


@pytest.fixture
def filled(workspace, tmp_path):
    truth = generate(tmp_path / "export", people=60, days=100, seed=3)
    workspace.ingest([truth.events_folder])
    return workspace


def test_cases_are_what_a_scoring_publishes_and_write_nothing(filled):
    filled.drain()
    before = filled.warehouse.snapshot()
    found = filled.cases("churn", horizon_days=14)
    typed = filled.warehouse.snapshot()
    again = filled.cases("churn", horizon_days=14)
    assert filled.warehouse.snapshot() == typed
    assert typed - before <= 1  # the events are typed once, as by any verb
    assert found.frame.equals(again.frame)
    at = found.present["as_of"][0].replace(tzinfo=UTC)
    filled.score(at)
    published = filled.sql(
        "select user_id, score as intent_score, persona, persona_confidence"
        " from lake.user_intent_score order by user_id"
    )
    assert published.equals(found.present.select(published.columns))
    assert tuning.intent_weights(found, draws=50, shuffles=2).outcome == "staying active"


def test_as_of_an_instant_nothing_later_is_looked_at(filled):
    end = filled.cases(horizon_days=7).present["as_of"][0].replace(tzinfo=UTC)
    at = end - timedelta(days=20, hours=-5)
    found = filled.cases(horizon_days=7, as_of=at)
    assert set(found.present["as_of"]) == {(end - timedelta(days=20)).replace(tzinfo=None)}
    assert max(found.instants) == (end - timedelta(days=27)).replace(tzinfo=None)
    assert found.left_out == ""
    assert filled.cases(horizon_days=7, as_of=end + timedelta(days=9)).present["as_of"][0] == (
        end.replace(tzinfo=None)
    )
