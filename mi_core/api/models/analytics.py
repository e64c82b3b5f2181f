"""Figures of everybody: the dashboard's."""

import datetime as dt
from typing import Annotated

from pydantic import Field

from mi_core.api.models.base import Answer, Band, Points, Share, Utc, Window, example
from mi_core.api.models.marketing import AS_OF

Count = Annotated[int, Field(ge=0)]
Cents = Annotated[float, Field(ge=0)]
Rate = Annotated[
    float | None,
    Field(description="People of a step per people of the one before; above 1 where more came in."),
]

# --- funnel

TOTALS = {
    "ad_clicks": 40,
    "landing_views": 30,
    "emails_captured": 12,
    "enrichments": 9,
    "trials": 6,
    "purchases": 2,
    "reactivations": 4,
    "click_to_landing_rate": 0.75,
    "landing_to_email_rate": 0.4,
    "email_to_trial_rate": 0.5,
    "trial_to_purchase_rate": 1 / 3,
}


class FunnelCounts(Answer):
    """People who took each step, and rates from one to the next; None where nobody took one."""

    model_config = example(**TOTALS)

    ad_clicks: Count
    landing_views: Count
    emails_captured: Count
    enrichments: Count
    trials: Count
    purchases: Count
    reactivations: Count
    click_to_landing_rate: Rate
    landing_to_email_rate: Rate
    email_to_trial_rate: Rate
    trial_to_purchase_rate: Rate


class FunnelDay(FunnelCounts):
    """The funnel of one UTC day."""

    model_config = example(day="2024-06-29", **TOTALS)

    day: dt.date


class DailyFunnel(Answer):
    """The funnel day by day, as the newest scoring stored it; days without any step are left out.

    A person counts once a day in each step, so in the totals once for each day.
    """

    model_config = example(
        days=30,
        since="2024-05-31",
        until="2024-06-29",
        totals=TOTALS,
        daily=[{"day": "2024-06-29", **TOTALS}],
        as_of=AS_OF,
    )

    days: Count
    since: dt.date | None = Field(description="The first UTC day.")
    until: dt.date | None = Field(description="The last one, that of the newest scoring.")
    totals: FunnelCounts
    daily: list[FunnelDay]
    as_of: Utc | None = Field(description="Of the newest scoring; None before the first.")


# --- personas

PERFORMANCE = {
    "slug": "tech_entrepreneur",
    "label": "Tech Entrepreneur / Product Builder",
    "intent_level": "high",
    "users": 120,
    "share": 0.15,
    "trial_rate": 0.8,
    "purchase_rate": 0.2,
    "avg_days_to_trial": 6.5,
    "avg_magnetism": 41.2,
}


class PersonaPerformance(Answer):
    """How the people of one persona do; None where there are none to take a mean of."""

    model_config = example(**PERFORMANCE)

    slug: str
    label: str
    intent_level: str
    users: Count
    share: Share | None = Field(description="Of all people.")
    trial_rate: Share | None = Field(description="Share of them that ever started a trial.")
    purchase_rate: Share | None
    avg_days_to_trial: float | None = Field(description="From the first event.")
    avg_magnetism: Annotated[float, Field(ge=0, le=100)] | None = Field(description="Over 30 days.")


class Personas(Answer):
    """All personas, as the newest scoring stored them."""

    model_config = example(users=800, personas=[PERFORMANCE], as_of=AS_OF)

    users: Count
    personas: list[PersonaPerformance]
    as_of: Utc | None = Field(description="Of the newest scoring; None before the first.")


# --- magnetism

BAND = {"band": "warm", "people": 90, "share": 0.3}


class BandCount(Answer):
    """How many people are in a band."""

    model_config = example(**BAND)

    band: Band
    people: Count
    share: Share | None


RISK = {"risk_from": 70, "people": 25}


class RiskCount(Answer):
    """How many people have a churn risk from `risk_from` up to the next ten; 90 has 100, too."""

    model_config = example(**RISK)

    risk_from: Points
    people: Count


class MagnetismSummary(Answer):
    """How magnetism and churn risk are spread over everybody, as the newest scoring stored them."""

    model_config = example(
        window="30d",
        people=300,
        average_index=38.2,
        bands=[BAND],
        average_churn_risk=61.4,
        at_risk=80,
        churn_risk=[RISK],
        as_of=AS_OF,
    )

    window: Window
    people: Count
    average_index: Annotated[float, Field(ge=0, le=100)] | None
    bands: list[BandCount] = Field(description="All of them, the weakest first.")
    average_churn_risk: Annotated[float, Field(ge=0, le=100)] | None
    at_risk: Count = Field(description="People with a churn risk of 70 or more.")
    churn_risk: list[RiskCount] = Field(description="In steps of ten, all of them.")
    as_of: Utc | None = Field(description="Of the newest scoring; None before the first.")


# --- attribution

CREDIT = {
    "key": "google_ads",
    "conversions": 12.5,
    "conversions_low": None,
    "conversions_high": None,
    "value": 1240.0,
    "value_low": None,
    "value_high": None,
    "share": 0.25,
    "spend": 300.0,
    "cpa": 24.0,
    "roas": 4.13,
}


class KeyCredit(Answer):
    """What one channel, campaign or the like has of the credit; money in the currency's unit."""

    model_config = example(**CREDIT)

    key: str = Field(description="Its name; unattributed: conversions without touchpoints.")
    conversions: float
    conversions_low: float | None = Field(description="None without intervals.")
    conversions_high: float | None
    value: float
    value_low: float | None
    value_high: float | None
    share: float | None = Field(description="Of the conversions with touchpoints.")
    spend: float | None = Field(description="None where no spend is known.")
    cpa: float | None
    roas: float | None


class Credits(Answer):
    """Who gets the credit for the conversions of a period, by one model."""

    model_config = example(
        model="linear",
        by="channel",
        days=90,
        conversions=50,
        value=4960.0,
        unattributed_conversions=4,
        credits=[CREDIT],
        abstained=None,
        notes=[],
        since="2024-04-01T00:00:00Z",
        as_of=AS_OF,
        config_version="5c1f0a9e77b2",
    )

    model: str
    by: str
    days: Count
    conversions: Count
    value: float
    unattributed_conversions: Count
    credits: list[KeyCredit] = Field(description="None where the model abstains.")
    abstained: str | None = Field(description="Why the model has no answer, where it has none.")
    notes: list[str] = Field(description="What of the spend isn't known.")
    since: Utc
    as_of: Utc = Field(description="End of the period, exclusive: the newest scoring, or now.")
    config_version: str


# --- enrichment

ERROR = {"kind": "rate limit", "leads": 3, "calls": 5, "last_at": AS_OF}


class ErrorCount(Answer):
    """How many leads have an error of a kind, how many calls ended so, and when last."""

    model_config = example(**ERROR)

    kind: str
    leads: Count
    calls: Count
    last_at: Utc


class EnrichmentStats(Answer):
    """How the enrichment does: leads by status now, and the rest in [since, until)."""

    model_config = example(
        days=30,
        by_status={"pending": 4, "completed": 96},
        ended=100,
        completed=96,
        partial=2,
        refused=1,
        success_rate=0.96,
        cost_cents=118.4,
        held_cents=1.5,
        projected_month_cents=119.9,
        monthly_cap_cents=5000.0,
        due=4,
        top_errors=[ERROR],
        since="2024-05-31T00:00:00Z",
        until=AS_OF,
    )

    days: Count
    by_status: dict[str, Count]
    ended: Count
    completed: Count
    partial: Count
    refused: Count = Field(description="At the door, for no or a disposable address.")
    success_rate: Share | None = Field(description="Completed ones of those that ended.")
    cost_cents: Cents
    held_cents: Cents = Field(description="For calls of a cost that nobody knows yet.")
    projected_month_cents: Cents = Field(description="30 days at the pace of the period.")
    monthly_cap_cents: Cents
    due: Count = Field(description="Leads that a worker could take now.")
    top_errors: list[ErrorCount]
    since: Utc
    until: Utc
