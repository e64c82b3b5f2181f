"""What may come of asking for leave to send a call, and the budget that has a say in it."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Reserved:
    """Leave to send a call under this id, not before `call_at`."""

    call_id: str
    call_at: datetime


@dataclass(frozen=True, slots=True)
class Later:
    """No leave yet: the provider wants to be left alone, or has too many callers."""

    due: datetime


@dataclass(frozen=True, slots=True)
class Down:
    """No leave: the provider is down; go on without it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Shut:
    """No leave: the provider's account can't be used, until somebody mends it."""

    reason: str


@dataclass(frozen=True, slots=True)
class OverBudget:
    """No leave: a cap would be passed."""

    reason: str


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """No leave: somebody else has the lead now."""


Leave = Reserved | Later | Down | Shut | OverBudget | LeaseLost


@dataclass(frozen=True, slots=True)
class Budget:
    """What is spent and held of a day's and a month's cap, in millionths of a dollar."""

    day_micros: int
    day_cap_micros: int
    month_micros: int
    month_cap_micros: int
    alert_share: float

    @property
    def alert(self) -> str | None:
        """A sentence from `alert_share` of a cap on."""
        for name, spent, cap in self._spans():
            if cap and spent >= self.alert_share * cap:
                share = f"{spent / cap:.0%} of the {name} budget"
                return f"{share} is spent or held: ${spent / 1e6:,.2f} of ${cap / 1e6:,.2f}."
        return None

    def plus(self, micros: int) -> "Budget":
        """The same, with so much more held."""
        day, month = self.day_micros + micros, self.month_micros + micros
        return replace(self, day_micros=day, month_micros=month)

    def refusal(self, most_micros: int) -> str | None:
        """Why a call that may cost `most_micros` is not sent; None where it may be."""
        for name, spent, cap in self._spans():
            if most_micros and spent + most_micros > cap:
                return (
                    f"The {name} budget of ${cap / 1e6:,.2f} has ${max(0, cap - spent) / 1e6:,.4f}"
                    f" left, and a call may cost ${most_micros / 1e6:,.4f}."
                )
        return None

    def _spans(self) -> tuple[tuple[str, int, int], ...]:
        return (
            ("daily", self.day_micros, self.day_cap_micros),
            ("monthly", self.month_micros, self.month_cap_micros),
        )
