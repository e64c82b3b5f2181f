"""Figures of everybody, as the API has them.

What a scoring stores is read as it was stored: such figures speak of the newest scoring.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from mi_core.api.models.analytics import (
    BandCount,
    Credits,
    DailyFunnel,
    EnrichmentStats,
    ErrorCount,
    FunnelCounts,
    FunnelDay,
    KeyCredit,
    MagnetismSummary,
    PersonaPerformance,
    Personas,
    RiskCount,
)
from mi_core.api.models.base import Window, cents
from mi_core.attribution import Attribution
from mi_core.magnetism import AT_RISK
from mi_core.person import Row, rows_of
from mi_core.workspace import Workspace

STEPS = (
    "ad_clicks",
    "landing_views",
    "emails_captured",
    "enrichments",
    "trials",
    "purchases",
    "reactivations",
)
RATES = {
    "click_to_landing_rate": ("ad_clicks", "landing_views"),
    "landing_to_email_rate": ("landing_views", "emails_captured"),
    "email_to_trial_rate": ("emails_captured", "trials"),
    "trial_to_purchase_rate": ("trials", "purchases"),
}
"""Rate → the steps that it leads from and to, as reports/daily_funnel.sql has them."""

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)


def funnel(workspace: Workspace, days: int) -> DailyFunnel:
    """The daily funnel of the `days` UTC days that end with the day of the newest scoring."""
    with workspace.warehouse.reading():
        as_of = workspace.scored_as_of()
        until = (as_of - _INSTANT).date() if as_of else None
        since = until - (days - 1) * _DAY if until else None
        rows = _rows(
            workspace,
            "from lake.mv_daily_funnel where day between $since and $until order by day",
            {"since": since, "until": until},
        )
    return DailyFunnel(
        days=days,
        since=since,
        until=until,
        totals=_totals(rows),
        daily=[FunnelDay(**row) for row in rows],
        as_of=as_of,
    )


def _totals(rows: Sequence[Row]) -> FunnelCounts:
    sums = {name: sum(row[name] for row in rows) for name in STEPS}
    rates = {
        name: sums[after] / sums[before] if sums[before] else None
        for name, (before, after) in RATES.items()
    }
    return FunnelCounts(**sums, **rates)


def personas(workspace: Workspace) -> Personas:
    """How the people of each persona do, as of the newest scoring."""
    with workspace.warehouse.reading():
        as_of = workspace.scored_as_of()
        rows = rows_of(workspace.warehouse, "reports/persona_now")
    found = [PersonaPerformance(**row) for row in rows]
    return Personas(users=sum(each.users for each in found), personas=found, as_of=as_of)


def magnetism_summary(workspace: Workspace, window: Window) -> MagnetismSummary:
    """How magnetism and churn risk are spread, as of the newest scoring."""
    lake = workspace.warehouse
    bands = workspace.definitions.magnetism.band_names
    stored = f"from lake.mv_user_magnetism_{window}"
    with lake.reading(), lake.view("magnetism_now", stored):
        as_of = workspace.scored_as_of()
        rows = rows_of(lake, "reports/magnetism_band", bands=bands, risk=AT_RISK)
        steps = rows_of(lake, "reports/churn_step")
    people = sum(row["people"] for row in rows)
    return MagnetismSummary(
        window=window,
        people=people,
        average_index=_mean(sum(row["index_micro"] for row in rows) / 1_000_000, people),
        bands=[
            BandCount(band=row["band"], people=row["people"], share=_share(row["people"], people))
            for row in rows
        ],
        average_churn_risk=_mean(sum(row["churn_risk"] for row in rows), people),
        at_risk=sum(row["at_risk"] for row in rows),
        churn_risk=[RiskCount(**row) for row in steps],
        as_of=as_of,
    )


def attribution(
    workspace: Workspace, model: str, by: str, days: int, with_intervals: bool
) -> Credits:
    """Who gets the credit for the conversions of the `days` days before the newest scoring.

    Raises
    ------
    UnknownName
        There is no such model or column; it names the nearest.
    """
    draws = None if with_intervals else 0
    found = workspace.attribution([model], by=by, days=days, draws=draws)
    return Credits(
        model=model,
        by=by,
        days=days,
        conversions=found.conversions,
        value=found.value,
        unattributed_conversions=found.unattributed_conversions,
        credits=_credits(found),
        abstained=found.abstained.get(model),
        notes=found.spend_gaps,
        # The lake's own paths have a period; only tables of paths have none.
        since=cast(datetime, found.since),
        as_of=cast(datetime, found.until),
        config_version=found.config_version or "",
    )


def _credits(found: Attribution) -> list[KeyCredit]:
    rows: list[dict[str, Any]] = found.credits.to_dicts()
    return [KeyCredit(**{**row, "key": row[found.by]}) for row in rows]


def enrichment_stats(workspace: Workspace, days: int) -> EnrichmentStats:
    """How the enrichment did in the `days` days before now."""
    stats = workspace.enrichment.stats(days=days)
    return EnrichmentStats(
        days=days,
        by_status=dict(stats.by_status),
        ended=stats.ended,
        completed=stats.completed,
        partial=stats.partial,
        refused=stats.refused,
        success_rate=stats.success_rate,
        cost_cents=cents(stats.spent_usd),
        held_cents=cents(stats.held_usd),
        projected_month_cents=cents(stats.projected_30_days_usd),
        monthly_cap_cents=cents(stats.monthly_cap_usd),
        due=stats.due,
        top_errors=[ErrorCount.model_validate(each) for each in stats.top_errors],
        since=stats.since,
        until=stats.until,
    )


def _rows(workspace: Workspace, query: str, params: Row) -> list[Row]:
    return list(workspace.warehouse.frame(query, params).to_dicts())


def _mean(total: float, people: int) -> float | None:
    return round(total / people, 2) if people else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
