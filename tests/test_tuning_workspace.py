"""The verb of a workspace, on an export: it writes nothing, and says what a scoring would."""

from datetime import UTC

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
