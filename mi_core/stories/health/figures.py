"""The figures of the data health report, read once, from one snapshot of the lake."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from mi_core.ingest.coverage import SOURCES, coverage
from mi_core.monitoring.check import Check
from mi_core.monitoring.checks import look
from mi_core.monitoring.looking import Looking
from mi_core.monitoring.shifts import Pair, scoring_pair
from mi_core.stories.period import Edition, edition

if TYPE_CHECKING:
    import polars as pl

    from mi_core.workspace import Workspace

LIVE = ("webhook", "capture")
"""Sources that bring events as they happen."""


@dataclass(frozen=True)
class HealthReport:
    """What came in, by which way, how well it is understood, and what the watch found.

    Attributes
    ----------
    checks
        As the watch finds them at the end of the period.
    hours
        `ingest.coverage` of the period and the one before it.
    usual_hours
        Relation `monitoring/usual_hour` of the period's hours, up to the newest event.
    days, days_before
        Relation `reports/coverage`.
    spread
        Relation `reports/event_spread`: how sure counts of events are.
    points
        Relation `monitoring/score_point` of the scorings of `pair`; no row where there are none.
    statuses
        Relation `monitoring/status_stretch`.
    """

    OF_STATE: ClassVar = ("checks", "statuses")

    edition: Edition
    checks: Sequence[Check]
    newest_event_at: datetime | None
    hours: "pl.DataFrame"
    usual_hours: "pl.DataFrame"
    days: "pl.DataFrame"
    days_before: "pl.DataFrame"
    spread: dict[str, Any]
    unknown_events: "pl.DataFrame"
    delivered: "pl.DataFrame"
    delivered_before: "pl.DataFrame"
    pair: Pair | None
    points: "pl.DataFrame"
    statuses: "pl.DataFrame"

    @classmethod
    def read(
        cls, workspace: "Workspace", *, as_of: str | datetime | None = None, days: int = 28
    ) -> "HealthReport":
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
        lake = workspace.warehouse
        with edition(workspace, as_of, days) as found:
            until = found.period.until
            at = Looking(lake, workspace.state, workspace.definitions, until.replace(tzinfo=UTC))
            newest = at.row("newest_event", as_of=until)["last_event_at"]
            found_pair = scoring_pair(at)
            pair = found_pair if isinstance(found_pair, Pair) else None
            instants = {"as_of": pair and pair.as_of, "earlier": pair and pair.earlier}
            return cls(
                edition=found,
                checks=look(at),
                newest_event_at=newest,
                hours=coverage(lake, days=min(3660, 2 * days), as_of=at.as_of),
                usual_hours=_usual_hours(at, found, newest),
                days=lake.relation("reports/coverage", **found.span),
                days_before=lake.relation("reports/coverage", **found.before),
                spread=lake.relation(
                    "reports/event_spread", previous=found.period.previous, **found.span
                ).row(0, named=True),
                unknown_events=lake.relation("reports/unknown_events", **found.span),
                delivered=lake.relation("monitoring/delivered", **found.span),
                delivered_before=lake.relation("monitoring/delivered", **found.before),
                pair=pair,
                points=lake.relation("monitoring/score_point", **instants),
                statuses=lake.relation("monitoring/status_stretch", **found.span),
            )

    def hours_of(self, *, is_now: bool) -> "pl.DataFrame":
        """The hours of the period, or of the one before."""
        is_in = self.hours["hour"] >= self.edition.period.since
        return self.hours.filter(is_in if is_now else ~is_in)

    def total(self, name: str, *, is_now: bool = True) -> int:
        """The sum over a period's days of a column of `reports/coverage`."""
        return int((self.days if is_now else self.days_before)[name].sum())

    def missed(self, *, is_now: bool = True) -> tuple[int, int]:
        """What the webhook missed in verified hours, and of how many events."""
        hours = self.hours_of(is_now=is_now)
        known = hours.filter(hours["is_verified"])
        return int(known["missed"].sum()), int(known["reference"].sum())

    def outcome(self, name: str, *, is_now: bool = True) -> int:
        """Rows of files and pulls with an outcome: accepted, duplicates, withheld, rejected."""
        return int((self.delivered if is_now else self.delivered_before)[name].sum())

    def fetched(self, *, is_now: bool = True) -> int:
        """All rows of files and pulls."""
        outcomes = ("accepted", "duplicates", "withheld", "rejected")
        return sum(self.outcome(name, is_now=is_now) for name in outcomes)

    @property
    def is_live(self) -> bool:
        """Whether anything came by the webhook or straight from an SDK."""
        hours = self.hours_of(is_now=True)
        return any(int(hours[name].sum()) for name in LIVE)

    @property
    def silent_hours(self) -> list[datetime]:
        """Hours without events that always have some."""
        hours = self.usual_hours
        return hours.filter(hours["events"] == 0)["hour"].to_list()

    def sources(self) -> list[tuple[str, int, int]]:
        """Each source, what it delivered, and what nobody else did."""
        hours = self.hours_of(is_now=True)
        return [
            (name, int(hours[name].sum()), int(hours[f"only_{name}"].sum())) for name in SOURCES
        ]


def _usual_hours(at: Looking, found: Edition, newest: datetime | None) -> "pl.DataFrame":
    """None after the newest event: what is missing since then is late, not lost."""
    since = _hour(found.period.since)
    until = max(since + timedelta(hours=1), _hour(newest or since))
    least = at.rules.silent_hours.least
    return at.warehouse.relation("monitoring/usual_hour", since=since, until=until, least=least)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
