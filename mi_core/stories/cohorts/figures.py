"""The figures of the cohorts report, read once, from one snapshot of the lake."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from mi_core.stories.people import kinds
from mi_core.stories.period import Edition, edition, instant

if TYPE_CHECKING:
    import polars as pl

    from mi_core.retention import Retention
    from mi_core.workspace import Workspace

MONTHS = 6
STICKY_DAYS = 28

GROUP_PERIODS = 8
"""Later weeks have but few people of a group, and no room on a phone."""


@dataclass(frozen=True)
class CohortsReport:
    """Retention of people new in the product, by week, month, first channel and persona.

    `lifecycle` and `stickiness` are what `Workspace` answers to these.
    """

    edition: Edition
    weekly: "Retention"
    monthly: "Retention"
    by_channel: "Retention"
    by_persona: "Retention"
    lifecycle: "pl.DataFrame"
    stickiness: "pl.DataFrame"

    @classmethod
    def read(
        cls, workspace: "Workspace", *, as_of: str | datetime | None = None, days: int = 84
    ) -> "CohortsReport":
        """Read the figures of the weeks in the `days` days before a scoring.

        Parameters
        ----------
        as_of
            The instant of a scoring, UTC, as a datetime or ISO 8601; default: the newest scoring.

        Raises
        ------
        ReportError
            Nothing has been scored, or nothing as of that instant.
        """
        definitions, moment = workspace.definitions, instant(as_of)
        keep = partial(workspace.retention, periods=min(126, max(1, days // 7)))
        # Before all else, since it may have to type events, which writes.
        weekly = keep(as_of=moment and moment.replace(tzinfo=UTC))
        with edition(workspace, as_of, days) as found:
            until = found.period.until.replace(tzinfo=UTC)
            if (weekly.as_of, weekly.lake_snapshot) != (until, found.lake_snapshot):
                weekly = keep(as_of=until)
            channels = {name: each.label for name, each in definitions.channels.names.items()}
            months = max(MONTHS, days // 30)
            return cls(
                edition=found,
                weekly=weekly,
                monthly=keep(every="month", periods=min(126, months), as_of=until),
                by_channel=_named(keep(by="channel", as_of=until), channels),
                by_persona=_named(keep(by="persona", as_of=until), kinds(definitions)),
                lifecycle=workspace.lifecycle(as_of=until, days=min(days, 126 * 7 - 7)),
                stickiness=workspace.stickiness(as_of=until, days=STICKY_DAYS),
            )

    @property
    def side(self) -> int:
        """How many of the newest cohorts are compared with as many before them."""
        return max(1, (self.weekly.cohorts["cohort"].n_unique() - 1) // 3)


def _named(found: "Retention", names: Mapping[str, str]) -> "Retention":
    """With groups as people know them, and as many periods as a group has people for."""
    import polars as pl

    name, is_early = pl.col("breakdown").replace(dict(names)), pl.col("period") <= GROUP_PERIODS
    cohorts, mean = (
        each.filter(is_early).with_columns(name) for each in (found.cohorts, found.mean)
    )
    return replace(found, cohorts=cohorts, mean=mean)
