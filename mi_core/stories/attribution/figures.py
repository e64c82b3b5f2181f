"""The figures of the attribution report: an Attribution, and what its paths look like."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from math import ceil
from typing import TYPE_CHECKING

from mi_core.errors import ReportError
from mi_core.stories.attribution import naming
from mi_core.stories.attribution.crediting import Credit
from mi_core.stories.period import Edition, Period, instant

if TYPE_CHECKING:
    import polars as pl

    from mi_core.attribution import Attribution
    from mi_core.funnels import Funnel
    from mi_core.retention import Retention
    from mi_core.workspace import Workspace

LONGEST = 10
"""Paths with more touchpoints are counted with these."""

COHORT_WEEKS = 12


@dataclass(frozen=True)
class AttributionReport:
    """The figures of one period. `headline`, `lengths`, `days` and `ends` are of `sql/reports/`.

    They are the relations conversion_headline, path_length, path_days and path_ends.
    """

    period: Period
    attribution: "Attribution"
    labels: Mapping[str, str]
    kinds: Mapping[str, str]
    headline: "pl.DataFrame"
    lengths: "pl.DataFrame"
    days: "pl.DataFrame"
    ends: "pl.DataFrame"
    first_event_at: datetime | None
    funnel: "Funnel"
    retention: "Retention"
    hours_behind: float | None = None

    @classmethod
    def read(
        cls,
        workspace: "Workspace",
        *,
        as_of: str | datetime | None = None,
        days: int = 90,
        by: str = "channel",
        conversion: str | None = None,
        seed: int = 0,
    ) -> "AttributionReport":
        """Read the figures of the `days` days before `as_of`, from one snapshot of the lake.

        Parameters
        ----------
        as_of
            UTC, as a datetime or ISO 8601, exclusive; default: the newest scoring, or now.
        by, conversion, seed
            As for `Workspace.attribution`.

        Raises
        ------
        ReportError
            `days` or `as_of` can't be read.
        UnknownName
            Nothing is called as `by` or `conversion` says.
        """
        if days < 1:
            raise ReportError(f"A report covers 1 day or more, not {days}.")
        moment = instant(as_of)
        until = moment.replace(tzinfo=UTC) if moment else None
        until = until or workspace.scored_as_of() or datetime.now(UTC)
        period = Period(until.replace(tzinfo=None), days)
        definitions, lake = workspace.definitions, workspace.warehouse
        attribute = partial(
            workspace.attribution, by=by, conversion=conversion, as_of=until, days=days, seed=seed
        )
        # Before all else, since it may have to type events, which writes.
        attribution = attribute()
        with lake.reading() as snapshot:
            held = lake.relation("reports/freshness", until=period.until).row(0, named=True)
            if snapshot != attribution.lake_snapshot:
                attribution = attribute()
            return cls(
                period=period,
                attribution=attribution,
                labels=naming.key_labels(definitions, by),
                kinds={name: each.label for name, each in definitions.etypes.items()},
                headline=lake.relation(
                    "reports/conversion_headline",
                    conversion=conversion,
                    previous=period.previous,
                    since=period.since,
                    until=period.until,
                ),
                lengths=lake.relation("reports/path_length", longest=LONGEST),
                days=lake.relation("reports/path_days", days=ceil(attribution.lookback_days or 1)),
                ends=lake.relation("reports/path_ends"),
                first_event_at=held["first_event_at"],
                funnel=workspace.funnel(as_of=until, days=days),
                retention=workspace.retention(
                    returning="engagement", as_of=until, periods=COHORT_WEEKS
                ),
                hours_behind=held["hours_behind"],
            )

    @property
    def lookback_days(self) -> float:
        """How long before a conversion touchpoints are looked for."""
        return float(self.attribution.lookback_days or 0)

    @property
    def lookback(self) -> str:
        """`lookback_days` in words."""
        return f"{self.lookback_days:g} day{'' if self.lookback_days == 1 else 's'}"

    @cached_property
    def credit(self) -> Credit:
        return Credit(self.attribution, self.labels)

    @property
    def edition(self) -> Edition:
        found = self.attribution
        version, snapshot = found.config_version or "", found.lake_snapshot or 0
        return Edition(
            self.period,
            version,
            snapshot,
            self.is_compared,
            definitions=version,
            hours_behind=self.hours_behind,
        )

    @property
    def is_compared(self) -> bool:
        """Whether the lake covers the period before."""
        return self.headline.height > 0 and not self.headline["conversions_before"].null_count()

    def before(self, name: str) -> float | None:
        """`conversions` or `value` of the period before; None where it can't be compared."""
        if not self.is_compared:
            return None
        if name == "value":
            return int(self.headline["value_cents_before"].sum()) / 100
        return int(self.headline["conversions_before"].sum())

    @property
    def is_covered(self) -> bool:
        """Whether events reach back to the earliest touchpoint that a path could have."""
        earliest = self.period.since - timedelta(days=self.lookback_days)
        return self.first_event_at is None or self.first_event_at <= earliest

    def kind(self, name: str) -> str:
        """A kind of conversion as people call it."""
        return self.kinds.get(name, name)

    @cached_property
    def path_lengths(self) -> "pl.DataFrame":
        """`lengths` with a label for each."""
        import polars as pl

        touches = pl.col("touches")
        longest = pl.when(touches == LONGEST).then(pl.lit(f"{LONGEST}+"))
        return self.lengths.with_columns(longest.otherwise(touches.cast(pl.String)).alias("label"))

    @cached_property
    def path_days(self) -> "pl.DataFrame":
        """`days` with a label for each."""
        import polars as pl

        return self.days.with_columns(pl.col("day").cast(pl.String).alias("label"))
