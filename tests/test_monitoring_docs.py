"""The page on monitoring says what the watch does."""

from pathlib import Path

import pytest

from mi_core.definitions import load_definitions
from mi_core.magnetism import AT_RISK
from mi_core.monitoring.drift import index_by_chance
from mi_core.workspace import Workspace

PAGE = (Path(__file__).parents[1] / "docs" / "monitoring.md").read_text()
RULES = load_definitions().monitoring


def test_every_check_is_described(workspace: Workspace):
    assert [each.name for each in workspace.watch() if f"`{each.name}`" not in PAGE] == []


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("events", "| 24 h | 48 h | 300 events"),
        ("silent_hours", "had 10 | 1 | 6 |"),
        ("coverage", "| below 98% | below 90% | 300 events"),
        ("inbox", "| 1 h | 6 h |"),
        ("unknown_events", "| 5% | 10% | 300 events"),
        ("scores", "| 36 h | 72 h |"),
        ("score_drift", "| PSI 0.1 | PSI 0.25 | 200 people"),
        ("persona_mix", "| PSI 0.1 | PSI 0.25 | 200 people"),
        ("enrichment_success", "| below 90% | below 90%, and not by chance | 20 leads"),
        ("cost_per_lead", "| $0.04 | $0.05 | 20 leads"),
        ("lead_queue", "| 6 h | 24 h |"),
    ],
)
def test_the_limits_are_those_in_force(name: str, row: str):
    limit = RULES.limits()[name]
    factor = 100 if limit.unit == "share" else 1
    written = [f"{factor * each:g}" for each in (limit.warning, limit.alert)]
    assert row in PAGE
    assert [each for each in written if each not in row] == []
    assert limit.least == 1 or f" {limit.least} " in row.replace("|", " ")


def test_the_other_figures_are_those_in_force():
    assert f"churn risk is {AT_RISK} or more" in PAGE
    assert f"below {RULES.notices.again_below} (`monitoring.notices.again_below`)" in PAGE
    assert RULES.notices.well_runs == 2
    assert "with 200 people each that is 0.28, with 2,000 people 0.03" in PAGE
    chances = [index_by_chance([n] * 10, [n] * 10, RULES.comparison.sure) for n in (20, 200)]
    assert [round(each, 2) for each in chances] == [0.28, 0.03]
