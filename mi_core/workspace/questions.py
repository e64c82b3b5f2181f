"""Questions about everybody, answered by frames."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mi_core.instants import in_utc
from mi_core.workspace.base import Base

if TYPE_CHECKING:
    import polars as pl

    from mi_core.attribution import Attribution
    from mi_core.definitions import FunnelStep
    from mi_core.funnels import Funnel
    from mi_core.retention import Retention
    from mi_core.tuning import Cases


class Questions(Base):
    """Attribution, funnels, retention, and cases to tune by."""

    def attribution(
        self,
        models: Sequence[str] | None = None,
        *,
        by: str = "channel",
        conversion: str | None = None,
        as_of: datetime | None = None,
        days: int = 90,
        lookback_days: float | None = None,
        transform: str | None = None,
        direct: str | None = None,
        max_touches: int | None = None,
        order: int | None = None,
        value_function: str | None = None,
        draws: int | None = None,
        seed: int = 0,
    ) -> "Attribution":
        """Which marketing earned the conversions of the `days` days before `as_of`.

        The answer has the frames `.credits`, `.moves`, `.disagreement`, `.paths` and
        `.removal_effects`; what isn't said is as attribution.toml has it. All options:
        `help(mi_core.attribution.attribute)`.
        """
        from mi_core.attribution import attribute

        self._keep_classified()
        rules = {
            "lookback_days": lookback_days,
            "transform": transform,
            "direct": direct,
            "max_touches": max_touches,
            "markov_order": order,
            "value_function": value_function,
            "draws": draws,
        }
        return attribute(
            self.warehouse,
            self.definitions,
            models,
            by=by,
            conversion=conversion,
            as_of=self._moment(as_of),
            days=days,
            seed=seed,
            **{name: value for name, value in rules.items() if value is not None},
        )

    def funnel(
        self,
        steps: "Sequence[str | FunnelStep] | None" = None,
        *,
        order: str = "ordered",
        window_days: float = 14,
        exclude: Sequence[str] = (),
        by: str | None = None,
        as_of: datetime | None = None,
        days: int = 90,
    ) -> "Funnel":
        """How many people took each of `steps`, or those of funnel.toml, one after the other.

        The answer has the frames `.steps` and `.times`. All options:
        `help(mi_core.funnels.funnel)`.
        """
        from mi_core.funnels import funnel

        self._keep_classified()
        return funnel(
            self.warehouse,
            self.definitions,
            steps,
            order=order,
            window_days=window_days,
            exclude=exclude,
            by=by,
            as_of=self._moment(as_of),
            days=days,
        )

    def retention(
        self,
        start: str | None = "engagement",
        returning: str | None = None,
        *,
        every: str = "week",
        periods: int = 12,
        kind: str = "first_time",
        counting: str = "on",
        by: str | None = None,
        as_of: datetime | None = None,
    ) -> "Retention":
        """How many people of each cohort came back, period by period.

        The answer has the frames `.cohorts` and `.mean`. `start` defaults to acts in the product;
        None is any event, also those that people only receive. All options:
        `help(mi_core.retention.retention)`.
        """
        from mi_core.retention import retention

        self._keep_classified()
        return retention(
            self.warehouse,
            self.definitions,
            start,
            returning,
            every=every,
            periods=periods,
            kind=kind,
            counting=counting,
            by=by,
            as_of=self._moment(as_of),
        )

    def lifecycle(
        self,
        event: str | None = "engagement",
        *,
        every: str = "week",
        as_of: datetime | None = None,
        days: int = 90,
    ) -> "pl.DataFrame":
        """New, returning, resurrecting and dormant people by period, as a frame.

        `event` as `start` of `retention`. All options: `help(mi_core.retention.lifecycle)`.
        """
        from mi_core.retention import lifecycle

        self._keep_classified()
        moment = self._moment(as_of)
        return lifecycle(
            self.warehouse, self.definitions, event, every=every, as_of=moment, days=days
        )

    def stickiness(
        self,
        event: str | None = "engagement",
        *,
        every: str = "day",
        as_of: datetime | None = None,
        days: int = 30,
    ) -> "pl.DataFrame":
        """How many people were active in how many periods, as a frame.

        `event` as `start` of `retention`. All options: `help(mi_core.retention.stickiness)`.
        """
        from mi_core.retention import stickiness

        self._keep_classified()
        moment = self._moment(as_of)
        return stickiness(
            self.warehouse, self.definitions, event, every=every, as_of=moment, days=days
        )

    def cases(
        self,
        outcome: str = "purchase",
        *,
        horizon_days: int = 28,
        every_days: int = 14,
        since: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
    ) -> "Cases":
        """What was known of everybody at past instants, and what became of them: to tune by.

        `outcome` is `trial`, `purchase` or `churn`, within the horizon. Nothing is written. As of
        `as_of` (exclusive; default: now), so that no later event is looked at, not as an outcome
        nor as the present. The rest is in `mi_core.tuning`; all options:
        `help(mi_core.tuning.cases.cases)`.
        """
        from mi_core.tuning.cases import cases

        now = datetime.now(UTC)
        self._keep_classified()
        return cases(
            self.warehouse,
            self.definitions,
            outcome,
            horizon_days=horizon_days,
            every_days=every_days,
            since=since,
            until=until,
            now=now if as_of is None else min(now, in_utc("as_of", as_of)),
        )
