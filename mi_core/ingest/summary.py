"""What became of a delivery, for people."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from mi_core.ingest.door import WITHHELD
from mi_core.ingest.publish import Published
from mi_core.warehouse import Warehouse


@dataclass(frozen=True)
class Counts:
    """What became of rows that were delivered.

    Each of the `delivered` rows is counted once: as accepted, duplicate, withheld (no consent to
    analytics) or rejected. The dictionaries map a reason or a name to how many times it was met.
    """

    delivered: int = 0
    accepted: int = 0
    duplicates: int = 0
    withheld: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    unknown_events: dict[str, int] = field(default_factory=dict)
    dropped_properties: dict[str, int] = field(default_factory=dict)
    screened_values: dict[str, int] = field(default_factory=dict)
    moved_ids: int = 0
    first_event_at: datetime | None = None
    last_event_at: datetime | None = None
    quarantine: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        plain = (datetime, Path)
        return {k: str(v) if isinstance(v, plain) else v for k, v in asdict(self).items()}


@dataclass(frozen=True)
class IngestSummary(Counts):
    """Counts of one delivery of files."""

    files: int = 0
    unchanged_files: int = 0
    ignored_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class PullSummary(Counts):
    """Counts of one pull.

    PostHog was asked, in `queries` queries, for the events from `since` until `until` (UTC).
    `quarantine` is the newest file of rejected rows.
    """

    since: datetime | None = None
    until: datetime | None = None
    queries: int = 0

    def with_published(self, published: Published, quarantine: Path | None) -> "PullSummary":
        return replace(
            self,
            accepted=published.accepted,
            duplicates=published.duplicates,
            moved_ids=published.moved_ids,
            quarantine=quarantine,
        )

    def asked(self, queries: int) -> "PullSummary":
        return replace(self, queries=queries)

    def plus(self, more: "PullSummary") -> "PullSummary":
        """Both as one: `more` came after this, in the same pull."""
        merged: dict[str, Any] = {}
        for each in fields(self):
            one, other = getattr(self, each.name), getattr(more, each.name)
            if isinstance(one, dict):
                merged[each.name] = dict((Counter(one) + Counter(other)).most_common())
            elif isinstance(one, int):
                merged[each.name] = one + other
        return replace(
            self,
            first_event_at=_least(self.first_event_at, more.first_event_at),
            last_event_at=_greatest(self.last_event_at, more.last_event_at),
            quarantine=more.quarantine or self.quarantine,
            **merged,
        )


def _known(times: Iterable[datetime | None]) -> list[datetime]:
    return [each for each in times if each is not None]


def _least(*times: datetime | None) -> datetime | None:
    return min(_known(times), default=None)


def _greatest(*times: datetime | None) -> datetime | None:
    return max(_known(times), default=None)


def tally(warehouse: Warehouse) -> dict[str, Any]:
    """The figures of Counts that the rows in `staged` give by themselves."""
    counts: dict[str, dict[str, int]] = {}
    warehouse.stage("tally", "staging/tally", withheld=WITHHELD)
    for kind, name, times in warehouse.sql("from tally").fetchall():
        counts.setdefault(kind, {})[name] = times
    row = warehouse.sql(
        "select count(*), min(occurred_at), max(occurred_at) from staged"
    ).fetchone()
    delivered, first, last = row or (0, None, None)
    return {
        "delivered": delivered,
        "withheld": sum(counts.get("withheld", {}).values()),
        "rejected": counts.get("rejected", {}),
        "unknown_events": counts.get("unknown", {}),
        "dropped_properties": counts.get("dropped", {}),
        "screened_values": counts.get("screened", {}),
        "first_event_at": first,
        "last_event_at": last,
    }
