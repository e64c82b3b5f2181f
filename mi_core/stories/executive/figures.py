"""The figures of the executive report, read once, from one snapshot of the lake."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

from mi_core.stories.attribution import naming
from mi_core.stories.attribution.crediting import Credit
from mi_core.stories.comparing import Change, of_counts, of_moves, of_shares, of_sums
from mi_core.stories.people import Then, kinds, stage_people
from mi_core.stories.period import Edition, edition, instant
from mi_core.stories.personas import mixing

if TYPE_CHECKING:
    import polars as pl

    from mi_core.attribution import Attribution
    from mi_core.definitions import Definitions
    from mi_core.enrichment.costs import Costs
    from mi_core.retention import Retention
    from mi_core.workspace import Workspace

MODEL = "linear"
"""What credit goes by: each touchpoint of a path gets an equal part. No order, no limit and no rare
path can turn it over, and it takes one look at the paths."""

CHECKED_BY = ("first_touch", "last_touch")
"""The two extremes, to say whether the first place depends on the model."""

WEEKS = 12

FIGURES = {
    "people": "People who came",
    "new_people": "For the first time",
    "emails": "Left an email address",
    "trials": "Started a trial",
    "buyers": "Bought",
    "revenue_cents": "Revenue",
}
"""Headline figures in order."""


@dataclass(frozen=True)
class ExecutiveReport:
    """The figures of one period: relations of `sql/reports/`, an Attribution and a Retention.

    Attributes
    ----------
    high_intent, warm
        From where on intent is high, and a person warm.
    paid
        The relation `paid_spread`: how sure revenue is.
    spend
        The relation `spend_known`.
    ahead
        The relation `persona_conversion`: who bought since `then`, by the persona of then.
    to_act_on
        The relation `people_to_act_on`, of the newest scoring.
    """

    OF_STATE: ClassVar = ("costs",)

    edition: Edition
    then: Then
    names: Mapping[str, str]
    high_intent: float
    warm: float
    headline: "pl.DataFrame"
    paid: dict[str, float]
    spend: dict[str, int]
    attribution: "Attribution"
    channel_names: Mapping[str, str]
    moves: "pl.DataFrame"
    ahead: "pl.DataFrame"
    band_moves: "pl.DataFrame"
    bands: "pl.DataFrame"
    to_act_on: dict[str, int]
    risk_moves: "pl.DataFrame"
    retention: "Retention"
    costs: "Costs"
    coverage: "pl.DataFrame"
    unknown_events: "pl.DataFrame"
    freshness: dict[str, Any]

    @classmethod
    def read(
        cls, workspace: "Workspace", *, as_of: str | datetime | None = None, days: int = 28
    ) -> "ExecutiveReport":
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
        lake, definitions, moment = workspace.warehouse, workspace.definitions, instant(as_of)
        bands = definitions.magnetism.band_names
        conversion = _purchase(definitions)
        attribute = partial(
            workspace.attribution, [MODEL, *CHECKED_BY], conversion=conversion, days=max(1, days)
        )
        # Before all else, since it may have to type events, which writes.
        attribution = attribute(as_of=moment and moment.replace(tzinfo=UTC))
        with edition(workspace, as_of, days) as found:
            span, period = found.span, found.period
            until = period.until.replace(tzinfo=UTC)
            if (attribution.until, attribution.lake_snapshot) != (
                period.until,
                found.lake_snapshot,
            ):
                attribution = attribute(as_of=until)
            then = stage_people(workspace, found)
            each = partial(_row, workspace)
            return cls(
                edition=found,
                then=then,
                names=kinds(definitions),
                high_intent=definitions.intent.levels_below.medium,
                warm=definitions.magnetism.bands_below.cooling,
                headline=lake.relation("reports/headline", previous=period.previous, **span),
                paid=each("paid_spread", previous=period.previous, **span),
                spend=each("spend_known", previous=period.previous, **span),
                attribution=attribution,
                channel_names=naming.key_labels(definitions, "channel"),
                moves=lake.relation("reports/persona_move"),
                ahead=lake.relation(
                    "reports/persona_conversion",
                    people="person_then",
                    since=then.as_of or period.until,
                    until=period.until,
                ),
                band_moves=lake.relation("reports/band_move"),
                bands=lake.relation("reports/band_share", bands=bands, **span),
                to_act_on=each("people_to_act_on", people="person_now"),
                risk_moves=lake.relation("reports/risk_move"),
                retention=workspace.retention(periods=WEEKS, as_of=until),
                costs=workspace.enrichment.costs(days=days, as_of=until),
                coverage=lake.relation("reports/coverage", **span),
                unknown_events=lake.relation("reports/unknown_events", **span),
                freshness=each("freshness", until=period.until),
            )

    def figure(self, name: str) -> tuple[int, int | None]:
        """A headline figure, and that of the period before: None where it can't be compared."""
        [(_, value, previous)] = self.headline.filter(self.headline["figure"] == name).rows()
        return value, previous

    def change(self, name: str) -> Change | None:
        """The change of a headline figure; None where it can't be compared."""
        value, before = self.figure(name)
        if before is None:
            return None
        if name == "revenue_cents":
            return of_sums(value, self.paid["squares"], before, self.paid["squares_before"])
        return of_counts(value, before)

    def rate(self, name: str) -> Change | None:
        """The change of a figure's share of the people who came, as one of three looked at."""
        (part, part_before), (whole, whole_before) = self.figure(name), self.figure("people")
        if part_before is None or whole_before is None:
            return None
        return of_shares(
            min(part, whole), whole, min(part_before, whole_before), whole_before, among=3
        )

    @property
    def risk_change(self) -> Change:
        """The share of known people at risk of leaving, against `then`."""
        columns = self.risk_moves.select("people", "is_at_risk", "was_at_risk")
        return of_moves(columns.iter_rows())

    def total(self, name: str) -> int:
        """The sum over the period of a column of `coverage`."""
        return int(self.coverage[name].sum())

    @cached_property
    def changes(self) -> "pl.DataFrame":
        """One row per headline figure that has an interval: `label, value, low, high, before`."""
        import polars as pl

        found = ((label, self.change(name)) for name, label in FIGURES.items())
        rows = [
            (label, each.value / each.before - 1, each.low, each.high, 0.0)
            for label, each in found
            if each and each.before and each.high < float("inf")
        ]
        schema = {"label": pl.String, **dict.fromkeys(("value", "low", "high", "none"), pl.Float64)}
        return pl.DataFrame(rows, schema=schema, orient="row")

    @cached_property
    def credit(self) -> Credit:
        return Credit(self.attribution, self.channel_names)

    @cached_property
    def credited(self) -> "pl.DataFrame":
        """One row per channel, most credit first: `key, label, conversions, value, low, high`.

        The last three are shares of credit by MODEL, with the ends of the interval.
        """
        import polars as pl

        rows = self.credit.rows.filter(pl.col("model") == MODEL)
        total = max(1, self.credit.conversions)
        return rows.select(
            "key",
            "label",
            "conversions",
            pl.col("share").alias("value"),
            (pl.col("low") / total).alias("low"),
            pl.min_horizontal(pl.col("high") / total, 1.0).alias("high"),
        ).sort("value", "label", descending=[True, False])

    @cached_property
    def mix(self) -> "pl.DataFrame":
        """The personas then and now; see `mixing.mix`."""
        return mixing.mix(self.moves, self.names)


def _row(workspace: "Workspace", name: str, **params: object) -> dict[str, Any]:
    row: dict[str, Any] = workspace.warehouse.relation(f"reports/{name}", **params).row(
        0, named=True
    )
    return row


def _purchase(definitions: "Definitions") -> str | None:
    """Purchases, where the taxonomy has them as conversions; else all conversions."""
    kinds = {each.etype for each in definitions.events.values() if each.conversion}
    return "purchase" if "purchase" in kinds else None
