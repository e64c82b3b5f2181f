"""What an erasure came to: counts by place, and nothing that says whose it was."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

REMAINS = (
    "keyed hashes of the ids, so that no later delivery brings the person back",
    "what the calls for their lead cost, by day and provider, tied to nobody",
    "counts of many people in which they are one, such as those of past reports and funnels",
)
"""What stays of everybody who was forgotten, by design."""


@dataclass(frozen=True)
class Receipt:
    """Counts of one erasure. It is unfinished until it has `finished_at`.

    Parameters
    ----------
    rows
        By table; of `state.enrichment_call` those that were cut loose from the person, of all
        others those that are gone.
    files
        By kind: lines of quarantine files, staged files, lake files that went with their old rows.
    reports
        Pages that showed the person and were removed, by their names.
    snapshots
        The lake's past states, of which none is left: how many, the first and the last.
    hashes
        By how many hashes the person is kept out from now on.
    """

    erasure_id: str
    begun_at: datetime
    finished_at: datetime | None
    rows: Mapping[str, int]
    files: Mapping[str, int]
    reports: Sequence[str]
    snapshots: Mapping[str, int]
    hashes: int
    remains: Sequence[str]

    @property
    def was_known(self) -> bool:
        """Whether anything was held of the person."""
        return any(self.rows.values())

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; times as ISO text."""
        times = {"begun_at": _text(self.begun_at), "finished_at": _text(self.finished_at)}
        return {"was_known": self.was_known} | asdict(self) | times

    def as_text(self) -> str:
        """JSON that `read` takes."""
        return json.dumps(self.as_dict(), sort_keys=True)


def read(text: str) -> Receipt:
    """The receipt that `as_text` wrote."""
    held = json.loads(text)
    told = {field.name: held[field.name] for field in fields(Receipt)}
    for name in ("begun_at", "finished_at"):
        told[name] = told[name] and datetime.fromisoformat(told[name])
    return Receipt(**told)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
