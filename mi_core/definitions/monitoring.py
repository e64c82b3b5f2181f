"""What monitoring.toml may say: the limits of the watch, and whom it tells when.

None of it changes a score, so the version of the definitions leaves it out.
"""

from typing import Annotated

from pydantic import Field

from mi_core.definitions.models import Share
from mi_core.definitions.prices import Count, Finite

Amount = Annotated[float, Field(ge=0, le=1_000_000)]


class Limit(Finite):
    """Where a check turns bad, in `unit`; with less than `least` it can't tell."""

    warning: Amount
    alert: Amount
    unit: str
    least: Count
    why: str


class BudgetLimit(Finite):
    """Where spending turns bad; it is worth a warning from `alert_share` of the budget on."""

    alert: Share
    unit: str
    why: str


class Notices(Finite):
    """When people are told: again after `reminder_hours`, and of what is well after `well_runs`.

    A person whose churn risk was told of may be told of again after it was below `again_below`.
    """

    reminder_hours: float = Field(gt=0, le=8760)
    well_runs: int = Field(ge=1, le=100)
    again_below: int = Field(ge=0, le=100)


class Comparison(Finite):
    """Which earlier scoring one is compared with, and how sure a shift must be to be one."""

    days: int = Field(ge=1, le=366)
    tolerance_days: int = Field(ge=0, le=180)
    sure: Share


class MonitoringRules(Finite):
    """The limits of each check; see monitoring.toml."""

    events: Limit
    silent_hours: Limit
    coverage: Limit
    inbox: Limit
    unknown_events: Limit
    scores: Limit
    score_drift: Limit
    persona_mix: Limit
    enrichment_success: Limit
    cost_per_lead: Limit
    budget: BudgetLimit
    lead_queue: Limit
    notices: Notices
    comparison: Comparison

    def limits(self) -> dict[str, Limit]:
        """The limits by the name of their table."""
        found = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: each for name, each in found if isinstance(each, Limit)}


LOW_IS_BAD = frozenset({"coverage", "enrichment_success"})
"""Limits that a value must not fall below; of the others it must stay under."""
