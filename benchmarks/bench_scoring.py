"""Scores of everybody, full and incremental, against a bare scan of the events by person.

The bare scan reads person and time of all events in the lake and groups them by person. A full run
reads the events of 31 days, sums signals over 7 and 30 of them, counts active days, weeks and
returns, scores intent, persona and magnetism of everybody, and writes the tables; and it reads the
paths of 90 days for the removal effects of channels.

A reader in another process asks for the newest scores again and again, first by itself, then during
refreshes.
"""

import json
import multiprocessing
import shutil
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from measure import alone, arguments, counted, in_turns, ingested, median, show

from mi_core import open_workspace

AS_OF = datetime(2024, 7, 1, tzinfo=UTC)
SHARES = (0.001, 0.01, 0.1)
READ = (
    "select band, count(*) as people, avg(churn_risk) as churn_risk, min(as_of), max(as_of)"
    " from lake.mv_user_magnetism_30d group by band"
)


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


def after_touching(folder: Path, share: float, hour: int) -> partial[None]:
    """What an incremental run is an hour on, with events of a share of the people."""
    moment = AS_OF + timedelta(hours=hour)
    touch(folder, share, moment - timedelta(minutes=30))
    return partial(incremental, folder, moment)


def latencies(folder: Path, meanwhile: Callable[[], object]) -> list[float]:
    """Milliseconds of each query of a reader in another process, while something else goes on."""
    context = multiprocessing.get_context("spawn")
    began, ended = context.Event(), context.Event()
    receiver, sender = context.Pipe(duplex=False)
    reader = context.Process(target=_read, args=(folder, began, ended, sender))
    reader.start()
    began.wait()
    meanwhile()
    ended.set()
    times: list[float] = receiver.recv()
    reader.join()
    return times


def _read(folder: Path, began: Any, ended: Any, sender: Any) -> None:
    times = []
    with open_workspace(folder) as workspace:
        workspace.warehouse.sql(READ)
        began.set()
        while not ended.is_set():
            started = time.perf_counter()
            rows = workspace.warehouse.sql(READ).fetchall()
            times.append(1000 * (time.perf_counter() - started))
            if len({instant for row in rows for instant in row[-2:]}) != 1:
                raise RuntimeError("A reader saw two scorings at once.")
    sender.send(times)


def show_latencies(title: str, found: dict[str, list[float]]) -> None:
    """Print them as a Markdown table."""
    print(f"\n### {title}\n\n| | queries | p50 ms | p95 ms | max ms |\n|---|---|---|---|---|")
    for name, times in found.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        print(
            f"| {name} | {len(times)} | {statistics.median(times):.0f} | {p95:.0f}"
            f" | {max(times):.0f} |"
        )


def main() -> None:
    options = arguments(__doc__)
    folder = ingested(options.folder, options.events)
    costs = in_turns(
        {"bare scan": partial(bare_scan, folder), "full": partial(full, folder)}, options.rounds
    )
    hours = count(1)
    for share in SHARES:
        name = f"incremental, {share:.1%} of people"
        runs = [alone(after_touching(folder, share, next(hours))) for _ in range(options.rounds)]
        costs[name] = median(runs)
    show(f"Scoring, {options.events:,} events", costs, "bare scan")
    found = {"by itself": latencies(folder, partial(time.sleep, 5)), "during refreshes": []}
    for _ in range(options.rounds):
        refresh = after_touching(folder, 0.01, next(hours))
        found["during refreshes"] += latencies(folder, partial(alone, refresh))
    show_latencies("A reader of mv_user_magnetism_30d", found)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
