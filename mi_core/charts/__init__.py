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

__all__ = [
    "BANDS",
    "BOUGHT",
    "LEVELS",
    "acquisition_funnel",
    "band_shares",
    "band_trend",
    "churn_risk",
    "coverage",
    "intent_distribution",
    "personas",
]
