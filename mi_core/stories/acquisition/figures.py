"""The figures of the acquisition and magnetism report, read once, from one snapshot of the lake."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mi_core.magnetism import AT_RISK
from mi_core.stories.period import Edition, Period, edition

if TYPE_CHECKING:
    import polars as pl

    from mi_core.workspace import Workspace

Cuts = tuple[tuple[str, float], ...]

PEOPLE_LISTED = 15
"""People shown of each list."""


@dataclass(frozen=True)
class AcquisitionReport:
    """The figures of one period, each frame a relation of `sql/reports/`."""

    edition: Edition
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
        lake, definitions = workspace.warehouse, workspace.definitions
        steps = [
            {"position": position, "step": step.name}
            | {"etypes": list(step.etypes), "events": list(step.events)}
            for position, step in enumerate(definitions.funnel.steps, start=1)
        ]
        bands = [*(name for name, _ in definitions.magnetism.bands), "hot"]
        with edition(workspace, as_of, days) as found:
            span, period = found.span, found.period
            until = period.until
            return cls(
                edition=found,
                intent_levels=definitions.intent.level_cuts,
                magnetism_bands=definitions.magnetism.bands,
                headline=lake.relation("reports/headline", previous=period.previous, **span),
                funnel=lake.relation("reports/acquisition_funnel", steps=steps, **span),
                funnel_sells="purchase" in definitions.funnel.steps[-1].etypes,
                funnel_before=lake.relation(
                    "reports/acquisition_funnel", steps=steps, **found.before
                ),
                personas=lake.relation("reports/persona_mix", as_of=until),
                bands=lake.relation("reports/band_share", bands=bands, **span),
                intent=lake.relation("reports/intent_distribution", as_of=until),
                churn=lake.relation("reports/churn_distribution", as_of=until),
                people=lake.relation(
                    "reports/act_on", as_of=until, risk=AT_RISK, people=PEOPLE_LISTED
                ),
                coverage=lake.relation("reports/coverage", **span),
                unknown_events=lake.relation("reports/unknown_events", **span),
                freshness=lake.relation("reports/freshness", until=until).row(0, named=True),
            )

    @property
    def period(self) -> Period:
        return self.edition.period

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
