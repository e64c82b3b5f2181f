"""What checks look at: one workspace, as of one instant."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mi_core.definitions import Definitions, MonitoringRules
from mi_core.state import State
from mi_core.warehouse import Warehouse

WEEK = timedelta(days=7)
DAYS_BACK = timedelta(days=28)


@dataclass(frozen=True)
class Looking:
    """A workspace as of `as_of`, exclusive, which has a zone."""

    warehouse: Warehouse
    state: State
    definitions: Definitions
    as_of: datetime

    @property
    def rules(self) -> MonitoringRules:
        return self.definitions.monitoring

    @property
    def at(self) -> datetime:
        """`as_of` as the lake has times."""
        return self.as_of.astimezone(UTC).replace(tzinfo=None)

    @property
    def week(self) -> dict[str, datetime]:
        """The 7 days before, as relations take them."""
        return {"since": self.at - WEEK, "until": self.at}

    def row(self, name: str, **params: object) -> dict[str, Any]:
        """The one row of a relation of sql/monitoring/."""
        found: dict[str, Any] = self.warehouse.relation(f"monitoring/{name}", **params).row(
            0, named=True
        )
        return found
