"""What is aimed at, and what may be spent, as the definitions in force say."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mi_core.definitions import micros

if TYPE_CHECKING:
    from mi_core.workspace import Workspace


@dataclass(frozen=True)
class Aims:
    """What is aimed at, and what may be spent: a share, and millionths of a dollar."""

    success: float
    lead_micros: int
    day_cap_micros: int
    month_cap_micros: int
    alert_share: float
    batch_share: float
    dead_letter_days: float


def aims_of(workspace: "Workspace") -> Aims:
    rules, limits = workspace.definitions.enrichment, workspace.definitions.monitoring
    return Aims(
        success=limits.enrichment_success.alert,
        lead_micros=micros(limits.cost_per_lead.alert),
        day_cap_micros=micros(rules.budget.daily_usd),
        month_cap_micros=micros(rules.budget.monthly_usd),
        alert_share=rules.budget.alert_share,
        batch_share=rules.providers.openai.batch_share,
        dead_letter_days=rules.dead_letter_days,
    )
