"""Tidy frame in, Altair chart out; nothing is computed here.

A chart carries what it says in words (`description`) and its figures as a table, so that a reader
who can't see it loses nothing. A frame without rows gives a sentence in place of a chart.
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
    personas,
)
from mi_core.charts.attribution import MARKS, credit, disagreement, spend_and_credit
from mi_core.charts.journeys import (
    days_to_conversion,
    funnel,
    path_lengths,
    retention,
    time_to_convert,
)

__all__ = [
    "BANDS",
    "BOUGHT",
    "LEVELS",
    "MARKS",
    "acquisition_funnel",
    "band_shares",
    "band_trend",
    "churn_risk",
    "coverage",
    "credit",
    "days_to_conversion",
    "disagreement",
    "funnel",
    "intent_distribution",
    "path_lengths",
    "personas",
    "retention",
    "spend_and_credit",
    "time_to_convert",
]
