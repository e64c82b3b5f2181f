"""The figures of the acquisition and magnetism report, read once, from one snapshot of the lake."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mi_core.magnetism import AT_RISK
from mi_core.stories import comparing
from mi_core.stories.comparing import Change
from mi_core.stories.people import Then, stage_people
from mi_core.stories.period import Edition, Period, edition

if TYPE_CHECKING:
    import polars as pl

    from mi_core.workspace import Workspace

Cuts = tuple[tuple[str, float], ...]

PEOPLE_LISTED = 15
"""People shown of each list."""

DRAWN_BACK = ("warm", "hot")
"""Bands of those who come back by themselves."""

_SQUARES = {"revenue_cents": "squares", "purchases": "purchase_squares"}
"""Figures of acts and not of people → their squares in `paid`."""


@dataclass(frozen=True)
class AcquisitionReport:
    """The figures of one period, each frame a relation of `sql/reports/`.

    Attributes
    ----------
    then, band_moves
        The scoring near the period's begin, and who was in which band then and now.
    paid
        The relation `paid_spread`: how sure revenue and purchases are.
    labels
        Channel → what people call it.
    """

    edition: Edition
    then: Then
    labels: Mapping[str, str]
    intent_levels: Cuts
    magnetism_bands: Cuts
    headline: "pl.DataFrame"
    paid: dict[str, float]
    channels: "pl.DataFrame"
    funnel: "pl.DataFrame"
    funnel_sells: bool
    funnel_before: "pl.DataFrame"
    personas: "pl.DataFrame"
    bands: "pl.DataFrame"
    band_moves: "pl.DataFrame"
    intent: "pl.DataFrame"
    churn: "pl.DataFrame"
    people: "pl.DataFrame"
    to_act_on: dict[str, int]
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
        bands = definitions.magnetism.band_names
        with edition(workspace, as_of, days) as found:
            span, period = found.span, found.period
            until = period.until
            both = {"previous": period.previous} | span
            then = stage_people(workspace, found)
            return cls(
                edition=found,
                then=then,
                labels={name: each.label for name, each in definitions.channels.names.items()},
                intent_levels=definitions.intent.level_cuts,
                magnetism_bands=definitions.magnetism.bands,
                headline=lake.relation("reports/headline", **both),
                paid=lake.relation("reports/paid_spread", **both).row(0, named=True),
                channels=lake.relation("reports/acquisition_channel", **both),
                funnel=lake.relation("reports/acquisition_funnel", steps=steps, **span),
                funnel_sells="purchase" in definitions.funnel.steps[-1].etypes,
                funnel_before=lake.relation(
                    "reports/acquisition_funnel", steps=steps, **found.before
                ),
                personas=lake.relation("reports/persona_mix", as_of=until),
                bands=lake.relation("reports/band_share", bands=bands, **span),
                band_moves=lake.relation("reports/band_move"),
                intent=lake.relation("reports/intent_distribution", as_of=until),
                churn=lake.relation("reports/churn_distribution", as_of=until),
                people=lake.relation(
                    "reports/act_on", as_of=until, risk=AT_RISK, people=PEOPLE_LISTED
                ),
                to_act_on=lake.relation("reports/people_to_act_on", people="person_now").row(
                    0, named=True
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
    def is_compared(self) -> bool:
        """Whether the lake covers the period before."""
        return self.figure("people")[1] is not None

    def change(self, name: str) -> Change | None:
        """A headline figure against the period before; None where it can't be compared."""
        value, before = self.figure(name)
        if before is None:
            return None
        if squares := _SQUARES.get(name):
            now, then = self.paid[squares], self.paid[f"{squares}_before"]
            return comparing.of_sums(value, now, before, then)
        return comparing.of_counts(value, before)

    @property
    def buying_share(self) -> Change | None:
        """The share of those who came who bought, against the period before."""
        (people, before), (buyers, bought) = self.figure("people"), self.figure("buyers")
        if before is None or bought is None:
            return None
        return comparing.of_shares(buyers, people, bought, before)

    @property
    def drawn_back(self) -> Change | None:
        """The share of people in a band of `DRAWN_BACK`, against `then`; None of nobody."""
        if not self.band_moves["band_now"].count():
            return None
        return comparing.of_moves(
            (people, now and now in DRAWN_BACK, then and then in DRAWN_BACK)
            for then, now, people in self.band_moves.iter_rows()
        )

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
