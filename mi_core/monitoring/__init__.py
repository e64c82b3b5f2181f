"""The watch: what to look at, whom to tell, who is about to leave.

`watching` goes through all of it; `deliveries`, `shifts` and `leads` have the checks, with limits
from monitoring.toml, and `messages` whether anybody hears of them; `notices` decides what each
channel is told and `alerts` sends it; `churn` has who is at risk and `churn_webhook` sends them;
`status_page` shows it.
"""

from mi_core.monitoring.check import Check
from mi_core.monitoring.churn import AtRisk
from mi_core.monitoring.churn_webhook import Delivery

__all__ = ["AtRisk", "Check", "Delivery"]
