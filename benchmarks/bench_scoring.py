"""Scores of everybody, full and incremental, against a bare scan of the events by person.

The bare scan reads person and time of all events in the lake and groups them by person. A full run
reads the events of 31 days, sums signals over 7 and 30 of them, counts active days, weeks and
returns, scores intent, persona and magnetism of everybody, and writes the tables.
"""

import json
import shutil
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from measure import Cost, alone, arguments, counted, in_turns, ingested, show

from mi_core import open_workspace

AS_OF = datetime(2024, 7, 1, tzinfo=UTC)
SHARES = (0.001, 0.01, 0.1)


def bare_scan(folder: Path) -> None:
    """Group the events by person."""
    with open_workspace(folder) as workspace, counted():
        workspace.warehouse.sql(
            "create or replace temp table bare as"
            " select user_id, count(*) as events, max(occurred_at) as last_event_at"
            " from lake.user_event group by user_id"
        )


def full(folder: Path) -> None:
    """Everybody, from their events."""
    with open_workspace(folder) as workspace, counted():
        workspace.score(AS_OF, full=True)


def touch(folder: Path, share: float, moment: datetime) -> None:
    """Give a share of the people one event each."""
    at = moment.isoformat()[:19]
    with open_workspace(folder) as workspace:
        ids = workspace.sql(
            "select min(distinct_id_hash) from lake.identity_alias group by user_id"
        )
        bodies = [
            {
                "event_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{at} {key}")),
                "event_name": "feature_used",
                "distinct_id_hash": key,
                "occurred_at": at,
                "received_at": at,
                "properties": "{}",
                "source": "benchmark",
            }
            for key in sorted(ids.to_series())[:: round(1 / share)]
        ]
        workspace.state.post([(b["event_id"], json.dumps(b)) for b in bodies], moment)
        workspace.drain()


def incremental(folder: Path, as_of: datetime) -> None:
    """Those whose events changed or whose windows moved since the last run."""
    with open_workspace(folder) as workspace, counted():
        workspace.score(as_of)


def after_touching(folder: Path, share: float, hour: int) -> Cost:
    """The cost of an incremental run an hour on, with events of a share of the people."""
    moment = AS_OF + timedelta(hours=hour)
    touch(folder, share, moment - timedelta(minutes=30))
    return alone(partial(incremental, folder, moment))


if __name__ == "__main__":
    options = arguments(__doc__)
    folder = ingested(options.folder, options.events)
    costs = in_turns(
        {"bare scan": partial(bare_scan, folder), "full": partial(full, folder)}, options.rounds
    )
    for hour, share in enumerate(SHARES, start=1):
        costs[f"incremental, {share:.1%} of people"] = after_touching(folder, share, hour)
    show(f"Scoring, {options.events:,} events", costs, "bare scan")
    shutil.rmtree(folder)
