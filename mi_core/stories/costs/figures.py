"""The figures of the cost report, read once: of the ledger and the queue, and one lake snapshot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import exp, inf, log, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, ClassVar

from mi_core.definitions import micros
from mi_core.shares import CONFIDENCE
from mi_core.stories import comparing
from mi_core.stories.bunches import of_days
from mi_core.stories.comparing import Change
from mi_core.stories.costs.aims import Aims, aims_of
from mi_core.stories.costs.money import of_each
from mi_core.stories.period import Edition, Period, edition

if TYPE_CHECKING:
    import polars as pl

    from mi_core.workspace import Workspace

FOLLOWED_DAYS = 14
"""For so long a lead is followed; those that ended later are not looked at."""

ERRORS_SHOWN = 8

STATES = ("completed", "partial", "failed", "open", "cancelled", "refused")

_Z = NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / 2)


@dataclass(frozen=True)
class CostReport:
    """The figures of one period; frames and rows are relations of `sql/enrichment/`.

    Attributes
    ----------
    ended, ended_before
        The leads that ended in the period and in the one before: `ended` and `lead_spread`.
    lately
        Those that ended while the addresses of dead letters are still kept.
    savings
        What was not paid for, as `Workspace.enrichment.costs` has it.
    elsewhere
        Name → what a lead costs there, in millionths, and when that was looked up.
    followed
        Who tried and bought within FOLLOWED_DAYS, of leads that ended so long before.
    """

    OF_STATE: ClassVar = (
        *("taken", "taken_before", "taken_days", "taken_days_before"),
        *("ended", "ended_before", "lately", "found", "followed"),
        *("calls", "providers", "days", "budget", "savings", "errors"),
    )

    edition: Edition
    aims: Aims
    taken: "pl.DataFrame"
    taken_before: "pl.DataFrame"
    taken_days: "pl.DataFrame"
    taken_days_before: "pl.DataFrame"
    ended: dict[str, int]
    ended_before: dict[str, int]
    lately: dict[str, int]
    calls: "pl.DataFrame"
    providers: "pl.DataFrame"
    days: "pl.DataFrame"
    budget: dict[str, Any]
    savings: Sequence[dict[str, Any]]
    elsewhere: Mapping[str, dict[str, Any]]
    errors: "pl.DataFrame"
    found: dict[str, int]
    followed: "pl.DataFrame"

    @classmethod
    def read(
        cls, workspace: "Workspace", *, as_of: str | datetime | None = None, days: int = 28
    ) -> "CostReport":
        """Read the figures of the `days` days before a scoring.

        Parameters
        ----------
        as_of
            The instant of a scoring, UTC, as a datetime or ISO 8601; default: the newest scoring.

        Raises
        ------
        ReportError
            Nothing has been scored, or nothing as of that instant.
        """
        lake, rules = workspace.warehouse, workspace.definitions.enrichment
        kept = timedelta(days=rules.dead_letter_days)
        wait = timedelta(days=FOLLOWED_DAYS)
        with edition(workspace, as_of, days) as found:
            span, before, until = found.span, found.before, found.period.until
            costs = workspace.enrichment.costs(days=days, as_of=until.replace(tzinfo=UTC))
            lake.stage("lead", "enrichment/lead")
            lake.stage("lead_found", "enrichment/lead_found", **span)
            what = _row(lake.relation("enrichment/found"))
            lake.stage(
                "lead_found",
                "enrichment/lead_found",
                since=span["since"] - wait,
                until=until - wait,
            )
            return cls(
                edition=found,
                aims=aims_of(workspace),
                taken=lake.relation("enrichment/taken", **span),
                taken_before=lake.relation("enrichment/taken", **before),
                taken_days=lake.relation("enrichment/taken_day", **span),
                taken_days_before=lake.relation("enrichment/taken_day", **before),
                ended=_ended(workspace, **span),
                ended_before=_ended(workspace, **before),
                lately=_ended(workspace, since=until - kept, until=until),
                calls=lake.relation("enrichment/call_cost", **span),
                providers=lake.relation("enrichment/provider_state", until=until),
                days=lake.relation("enrichment/day", **span),
                budget=_row(lake.relation("enrichment/committed", until=until)),
                savings=[
                    {"name": each.name, "step": each.step, "times": each.times}
                    | {"micros": None if each.usd is None else micros(each.usd)}
                    for each in costs.savings
                ],
                elsewhere={
                    each.name: {"micros": micros(each.usd_per_lead), "priced_on": each.priced_on}
                    for each in costs.comparisons
                },
                errors=lake.relation("enrichment/error", most=ERRORS_SHOWN, **span),
                found=what,
                followed=lake.relation("enrichment/followed", days=FOLLOWED_DAYS),
            )

    @property
    def period(self) -> Period:
        return self.edition.period

    @property
    def followed_period(self) -> Period:
        """When the leads ended that are followed."""
        return Period(self.period.until - timedelta(days=FOLLOWED_DAYS), self.period.days)

    def state(self, name: str) -> int:
        """How many leads taken in the period are in one of STATES now."""
        return int(self.taken.filter(self.taken["state"] == name)["leads"].sum())

    @property
    def taken_change(self) -> Change:
        """Leads taken, against the period before: many come at once, in a file."""
        now, then = (each["leads"].to_list() for each in (self.taken_days, self.taken_days_before))
        return of_days(now, then, self.period.days)

    @property
    def success(self) -> Change:
        """The completed leads' share of those that ended, against the period before."""
        now, then = self.ended, self.ended_before
        return comparing.of_shares(now["completed"], now["leads"], then["completed"], then["leads"])

    @property
    def success_range(self) -> tuple[float, float]:
        return comparing.share_range(self.ended["completed"], self.ended["leads"])

    @property
    def lead_micros(self) -> Fraction | None:
        """What a lead that ended cost on average, what is held counted as spent."""
        return of_each(self.ended["micros"], self.ended["leads"])

    @property
    def lead_range(self) -> tuple[float, float]:
        """A normal interval of that average."""
        number, total = self.ended["leads"], self.ended["micros"]
        mean, spread = total / number, _Z * _error(self.ended)
        return max(0.0, mean - spread), mean + spread

    @property
    def cost_change(self) -> Change:
        """What a lead cost, against the period before."""
        now, then = self.ended, self.ended_before
        if not (now["micros"] and then["micros"]):
            return Change(_mean(now), _mean(then), -1, inf)
        value, before = _mean(now), _mean(then)
        spread = _Z * sqrt((_error(now) / value) ** 2 + (_error(then) / before) ** 2)
        ratio = log(value / before)
        return Change(value, before, exp(ratio - spread) - 1, exp(ratio + spread) - 1)

    def total(self, name: str) -> int:
        """The sum of a column of `calls`."""
        return int(self.calls[name].sum())

    @property
    def pace_micros(self) -> Fraction:
        """What 30 days take at the pace of the period, or from its first call on, if later."""
        begun: list[date] = [self.period.since.date(), *self.days["day"].head(1)]
        days = max(1, (self.period.until.date() - max(begun)).days)
        return Fraction(self.total("cost_micros") + self.total("held_micros")) * 30 / days

    @property
    def dearest_day(self) -> tuple[int, date | None]:
        """The most that was spent or held on a day, and that day."""
        by_day: dict[date, int] = {}
        columns = ("day", "cost_micros", "held_micros")
        for day, cost, held in self.days.select(*columns).iter_rows():
            by_day[day] = by_day.get(day, 0) + cost + held
        if not by_day:
            return 0, None
        dearest = max(by_day, key=lambda day: by_day[day])
        return by_day[dearest], dearest

    @property
    def is_paid(self) -> bool:
        """Whether anybody was asked for money."""
        return self.total("calls") > 0

    @property
    def saved_micros(self) -> int:
        return sum(each["micros"] or 0 for each in self.savings)


def _ended(workspace: "Workspace", **span: datetime) -> dict[str, int]:
    lake = workspace.warehouse
    return _row(lake.relation("enrichment/ended", **span)) | _row(
        lake.relation("enrichment/lead_spread", **span)
    )


def _row(frame: "pl.DataFrame") -> dict[str, Any]:
    return frame.row(0, named=True)


def _mean(ended: Mapping[str, int]) -> float:
    return ended["micros"] / ended["leads"] if ended["leads"] else 0.0


def _error(ended: Mapping[str, int]) -> float:
    """The standard error of the average cost of a lead."""
    number = ended["leads"]
    if number < 2:
        return inf
    variance = Fraction(ended["squares"], number) - Fraction(ended["micros"], number) ** 2
    return sqrt(max(0.0, float(variance)) / (number - 1))
