"""Results and tidy frames in, Altair charts out; no more is computed than adding up rows.

In a notebook, what `Workspace.attribution`, `.funnel` and `.retention` return is enough::

    charts.disagreement(found)  # share of credit by channel, from lowest to highest model
    charts.credit(found)  # credit by model, each with its interval
    charts.spend_and_credit(found)
    charts.paths(found)
    charts.funnel(taken)
    charts.time_to_convert(taken)
    charts.retention(kept)
    charts.shares(frame, "bought", "Who bought, by intent")  # of any frame: label, people, part

A result with a breakdown gives one row for each group. The other charts draw the relations of
`sql/reports/`, and say of which. A chart carries what it says in words (`description`) and its
figures as a table, so that a reader who can't see it loses nothing. A result without rows gives a
sentence in place of a chart.
"""

from mi_core.charts.acquisition import (
    BANDS,
    BOUGHT,
    LEVELS,
    acquisition_funnel,
    band_shares,
    band_trend,
    churn_risk,
    coverage,
    intent_distribution,
    people_by_persona,
)
from mi_core.charts.attribution import MARKS, credit, disagreement, paths, spend_and_credit
from mi_core.charts.cohorts import lifecycle, retention_curve, stickiness
from mi_core.charts.costs import cost_by_day, cost_elsewhere, went_on
from mi_core.charts.executive import (
    changes,
    credit_share,
)
from mi_core.charts.health import (
    arrivals,
    check_statuses,
    event_hours,
    score_then_and_now,
)
from mi_core.charts.journeys import (
    days_to_conversion,
    funnel,
    path_lengths,
    retention,
    time_to_convert,
)
from mi_core.charts.magnetism import (
    band_windows,
    risk_by_group,
    risk_then_and_now,
    stayed_away,
)
from mi_core.charts.personas import (
    SOURCES,
    persona_bands,
    persona_confidence,
    persona_mix,
    persona_rates,
)
from mi_core.charts.ranges import shares
from mi_core.charts.tuning import (
    persona_calibration,
    persona_moves,
    points_earned,
    threshold_curve,
    threshold_explorer,
)

__all__ = [
    "BANDS",
    "BOUGHT",
    "LEVELS",
    "MARKS",
    "SOURCES",
    "acquisition_funnel",
    "arrivals",
    "band_shares",
    "band_trend",
    "band_windows",
    "changes",
    "check_statuses",
    "churn_risk",
    "cost_by_day",
    "cost_elsewhere",
    "coverage",
    "credit",
    "credit_share",
    "days_to_conversion",
    "disagreement",
    "event_hours",
    "funnel",
    "intent_distribution",
    "lifecycle",
    "path_lengths",
    "paths",
    "people_by_persona",
    "persona_bands",
    "persona_calibration",
    "persona_confidence",
    "persona_mix",
    "persona_moves",
    "persona_rates",
    "points_earned",
    "retention",
    "retention_curve",
    "risk_by_group",
    "risk_then_and_now",
    "score_then_and_now",
    "shares",
    "spend_and_credit",
    "stayed_away",
    "stickiness",
    "threshold_curve",
    "threshold_explorer",
    "time_to_convert",
    "went_on",
]
