"""The scheduled work on scores."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from mi_core.ingest.classify import Progress, silent
from mi_core.instants import not_in_future
from mi_core.scoring import ScoreSummary, score, thin_snapshots
from mi_core.workspace.reporting import Reporting
from mi_core.workspace.taking import Taking

if TYPE_CHECKING:
    from mi_core.refresh import Refreshed


@dataclass(frozen=True)
class Maintenance:
    """What was let go of."""

    scorings_thinned: int
    inbox_rows_pruned: int
    erasures_finished: int


class Scoring(Taking, Reporting):
    """Scores of everybody, and what keeps the lake in order."""

    def score(
        self,
        as_of: datetime | None = None,
        *,
        since: datetime | None = None,
        every: timedelta = timedelta(days=7),
        full: bool = False,
        progress: Progress = silent,
    ) -> ScoreSummary:
        """Score everybody as of an instant (exclusive; default: now); see `scoring.score`.

        With `since`, the instants `every` so often before `as_of`, back to `since`, are scored
        first, so that there is a history to compare with. Returns the summary of the last.

        Raises
        ------
        BadValue
            `as_of` is still to come: whatever is scored until then would count as older.
        """
        from mi_core.attribution.touches import removal_effects_to_store

        newest = as_of or datetime.now(UTC)
        not_in_future("as_of", newest)
        self._keep_classified(progress)
        instants = _instants(newest, since, every)
        stores = (self.warehouse, self.state, self.definitions)
        # Those of the last instant are what stays.
        effects = removal_effects_to_store(self.warehouse, self.definitions, as_of=instants[-1])
        for number, instant in enumerate(instants):
            progress(f"Scoring as of {instant:%Y-%m-%d}", number, len(instants))
            more = effects if instant == instants[-1] else None
            summary = score(*stores, as_of=instant, full=full, more=more)
        return summary

    def refresh(self, as_of: datetime | None = None) -> "Refreshed":
        """Drain the inbox and score everybody as of an instant (exclusive; default: now).

        The scheduled work on scores, and what it did: see `refresh.refresh`.

        Raises
        ------
        BadValue
            `as_of` is still to come.
        """
        from mi_core.refresh import refresh

        if as_of is not None:
            not_in_future("as_of", as_of)
        return refresh(self.warehouse, self.drain, partial(self.score, as_of))

    def unscored(
        self, since: datetime, until: datetime, every: timedelta = timedelta(days=1)
    ) -> list[datetime]:
        """The instants `every` so often from `since` to `until` (both count), oldest first, that
        nobody has scored by the definitions in force; what a backfill has still to do. See
        `refresh.unscored`.
        """
        from mi_core.refresh import unscored

        return unscored(self.warehouse, self.definitions, since, until, every)

    def maintain(self, *, keep_days: int = 7) -> Maintenance:
        """Let go of what is no longer needed, and put the lake's files in order.

        An erasure that was interrupted is finished first.

        Parameters
        ----------
        keep_days
            How long everything is kept: every scoring (of older ones, the last of each day and
            those that pages on the shelf are about), what the inbox has handed on, and the lake's
            history.
        """
        from mi_core.erasure import finish

        finished = len(finish(self.warehouse, self.state))
        kept = {each.as_of for stem in self.shelf.stems() for each in self.shelf.editions(stem)}
        thinned = thin_snapshots(self.warehouse, keep_days=keep_days, kept=kept)
        row = self.warehouse.sql("select max(last_seq) from lake.ingest_watermark").fetchone()
        before = datetime.now(UTC) - timedelta(days=keep_days)
        pruned = self.state.prune_inbox(row[0] or 0 if row else 0, before)
        self.warehouse.maintain(keep_days=keep_days)
        self.state.set_meta("maintained_at", datetime.now(UTC).isoformat())
        return Maintenance(thinned, pruned, finished)

    def maintained_at(self) -> datetime | None:
        """When `maintain` last came to its end; None before the first time."""
        told = self.state.meta("maintained_at")
        return datetime.fromisoformat(told) if told else None


def _instants(as_of: datetime, since: datetime | None, every: timedelta) -> list[datetime]:
    """`as_of`, and those `every` so often before it that are not before `since`, in order."""
    instants = [as_of]
    while since is not None and instants[-1] - every >= since:
        instants.append(instants[-1] - every)
    return instants[::-1]
