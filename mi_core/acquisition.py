"""The figures of the acquisition and magnetism report, read once, from one snapshot of the lake."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mi_core import words
from mi_core.errors import ReportError

if TYPE_CHECKING:
    import polars as pl

    from mi_core.workspace import Workspace

Cuts = tuple[tuple[str, float], ...]

RISK = 70
"""Churn risk from which a person is listed as at risk."""

PEOPLE_LISTED = 15
"""People shown of each list."""


@dataclass(frozen=True)
class Period:
    """Days up to the instant `until`, exclusive, and as many before them."""

    until: datetime
    days: int

    @property
    def since(self) -> datetime:
        return self.until - timedelta(days=self.days)

    @property
    def previous(self) -> datetime:
        return self.since - timedelta(days=self.days)

    def __str__(self) -> str:
        return f"{words.day(self.since)} to {words.day(words.last_day(self.until))}"


@dataclass(frozen=True)
class AcquisitionReport:
    """The figures of one period, each frame a relation of `sql/reports/`."""

    period: Period
    config_version: str
    lake_snapshot: int
    intent_levels: Cuts
    magnetism_bands: Cuts
    headline: "pl.DataFrame"
    funnel: "pl.DataFrame"
    funnel_sells: bool
    funnel_before: "pl.DataFrame"
    personas: "pl.DataFrame"
    bands: "pl.DataFrame"
    intent: "pl.DataFrame"
    churn: "pl.DataFrame"
    people: "pl.DataFrame"
    coverage: "pl.DataFrame"
    unknown_events: "pl.DataFrame"
    freshness: dict[str, Any]

    @classmethod
    def read(
        cls, workspace: "Workspace", *, as_of: str | datetime | None = None, days: int = 90
    ) -> "AcquisitionReport":
        """Read the figures of the `days` days before a scoring, from one snapshot of the lake.

        Parameters
        ----------
        as_of
            The instant of a scoring, UTC, as a datetime or ISO 8601; default: the newest scoring.

        Raises
        ------
        ReportError
            Nothing has been scored, or nothing as of that instant.
        """
        if days < 1:
            raise ReportError(f"A report covers 1 day or more, not {days}.")
        lake, definitions = workspace.warehouse, workspace.definitions
        steps = [
            {"position": position, "step": step.name}
            | {"etypes": list(step.etypes), "events": list(step.events)}
            for position, step in enumerate(definitions.funnel.steps, start=1)
        ]
        bands = [*(name for name, _ in definitions.magnetism.bands), "hot"]
        with lake.reading() as snapshot:
            until, config_version = _scoring(workspace, as_of)
            period = Period(until, days)
            span = {"since": period.since, "until": period.until}
            before = {"since": period.previous, "until": period.since}
            return cls(
                period=period,
                config_version=config_version,
                lake_snapshot=snapshot,
                intent_levels=definitions.intent.level_cuts,
                magnetism_bands=definitions.magnetism.bands,
                headline=lake.relation("reports/headline", previous=period.previous, **span),
                funnel=lake.relation("reports/acquisition_funnel", steps=steps, **span),
                funnel_sells="purchase" in definitions.funnel.steps[-1].etypes,
                funnel_before=lake.relation("reports/acquisition_funnel", steps=steps, **before),
                personas=lake.relation("reports/persona_mix", as_of=until),
                bands=lake.relation("reports/band_share", bands=bands, **span),
                intent=lake.relation("reports/intent_distribution", as_of=until),
                churn=lake.relation("reports/churn_distribution", as_of=until),
                people=lake.relation(
                    "reports/act_on", as_of=until, risk=RISK, people=PEOPLE_LISTED
                ),
                coverage=lake.relation("reports/coverage", **span),
                unknown_events=lake.relation("reports/unknown_events", **span),
                freshness=lake.relation("reports/freshness", until=until).row(0, named=True),
            )

    def figure(self, name: str) -> tuple[int, int | None]:
        """A headline figure, and that of the period before: None where it can't be compared."""
        [(_, value, previous)] = self.headline.filter(self.headline["figure"] == name).rows()
        return value, previous

    @property
    def bought_off_path(self) -> int:
        """People who bought in the period, but not by the funnel's steps in their order."""
        if not self.funnel_sells:
            return 0
        return self.figure("buyers")[0] - int(self.funnel["people"][-1])

    def total(self, name: str) -> int:
        """The sum over the period of a column of `coverage`."""
        return int(self.coverage[name].sum())

    def listed(self, name: str) -> int:
        """How many people belong on a list, `ready_to_buy` or `at_risk`, shown or not."""
        listed = self.people.filter(self.people["list"] == name)["listed"]
        return int(listed[0]) if len(listed) else 0


def _scoring(workspace: "Workspace", as_of: str | datetime | None) -> tuple[datetime, str]:
    """Instant and configuration of the scoring that the report is about."""
    wanted = instant(as_of)
    found = workspace.warehouse.sql(
        "select as_of, max(config_version) from lake.user_magnetism_index"
        " semi join lake.score_run using (as_of)"
        " where $wanted is null or as_of <= $wanted group by as_of order by as_of desc limit 1",
        {"wanted": wanted},
    ).fetchone()
    if found and wanted in (None, found[0]):
        return found[0], found[1]
    if wanted is None:
        raise ReportError("Nobody has been scored yet: score the workspace, then make the report.")
    nearest = (
        f"; the newest before that are as of {found[0].isoformat()}" if found else " or before"
    )
    raise ReportError(f"There are no scores as of {wanted.isoformat()}{nearest}.")


def instant(value: str | datetime | None) -> datetime | None:
    """A notebook's `as_of`, UTC without an offset, as SQL takes it."""
    if not isinstance(value, str):
        return value
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise ReportError(f"as_of is an ISO 8601 time such as 2024-06-30, not {value!r}.") from None
    return parsed.astimezone(UTC).replace(tzinfo=None) if parsed.tzinfo else parsed
