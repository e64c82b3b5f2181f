"""How events and spend come in."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mi_core.ingest.classify import Progress, silent
from mi_core.ingest.delivery import ingest_files
from mi_core.ingest.inbox import drain
from mi_core.ingest.summary import IngestSummary
from mi_core.workspace.base import Base

if TYPE_CHECKING:
    import polars as pl

    from mi_core.ingest.spend import SpendSummary
    from mi_core.ingest.summary import PullSummary


class Taking(Base):
    """Events and spend: in, by files, pulls and the inbox."""

    def ingest(self, paths: Iterable[Path | str], *, progress: Progress = silent) -> IngestSummary:
        """Take PostHog batch exports, files or folders, into the lake; see `ingest_files`."""
        summary = ingest_files(self.warehouse, self.door, map(Path, paths), progress=progress)
        self._follow_people()
        return summary

    def pull(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        overlap: timedelta = timedelta(hours=24),
        progress: Progress = silent,
    ) -> "PullSummary":
        """Take what PostHog has, by its query API; see `ingest.pull.pull_from_posthog`.

        Parameters
        ----------
        since
            Default: where the last pull ended, less the `overlap` for events that arrived late;
            the first pull goes back by 7 days.
        until
            Exclusive; default: now.

        Raises
        ------
        SettingsError
            MI_POSTHOG_PROJECT_ID or MI_POSTHOG_API_KEY isn't set.
        PullError
            PostHog can't be pulled from; what came before stays in the lake.
        """
        from mi_core.ingest.pull import pull_from_posthog

        try:
            return pull_from_posthog(
                self.warehouse,
                self.door,
                since=since,
                until=until,
                overlap=overlap,
                now=datetime.now(UTC),
                progress=progress,
            )
        finally:
            self._follow_people()

    def coverage(self, days: int = 7, *, as_of: datetime | None = None) -> "pl.DataFrame":
        """What each source delivered and what the webhook missed, by hour, as a frame.

        It has the whole hours of the `days` days before `as_of` (default: now). All columns:
        `help(mi_core.ingest.coverage.coverage)`.
        """
        from mi_core.ingest.coverage import coverage

        with self.warehouse.reading():
            return coverage(self.warehouse, days=days, as_of=as_of or datetime.now(UTC))

    def drain(self) -> int:
        """Move what is new in the inbox to the lake; returns how many events the lake gained."""
        accepted = drain(self.warehouse, self.door)
        self._follow_people()
        return accepted

    def ingest_spend(self, files: Iterable[Path | str], *, replace: bool = False) -> "SpendSummary":
        """Take what campaigns cost, by day, from CSV or Parquet; see `spend.ingest_spend`."""
        from mi_core.ingest.spend import ingest_spend

        return ingest_spend(self.warehouse, self.definitions, map(Path, files), replace=replace)

    def _follow_people(self) -> None:
        """Let the state follow people whose user_id is another now; a crash only puts it off."""
        renamed = self.warehouse.query("identity/renamed_person").fetchall()
        self.state.move_people(renamed)
