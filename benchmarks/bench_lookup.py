"""One person's scores, reasons and advice, live from their events, in a workspace that is open.

Beside it a bare look-up: the same person's events of 31 days, read and counted.
"""

import shutil
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measure import arguments, ingested

from mi_core import open_workspace
from mi_core.workspace import Workspace

AS_OF = datetime(2024, 7, 1, tzinfo=UTC)
PEOPLE = 300
BARE = (
    "select count(*) from lake.user_event where user_id = $user_id::uuid"
    " and occurred_at >= $since::timestamp and occurred_at < $until::timestamp"
)


def some_ids(truth: Path) -> list[str]:
    """Ids of the product, spread over all people."""
    from mi_core.synthetic import load_truth

    ids = load_truth(truth).persons().filter(has_consent=True)["distinct_id"].to_list()
    return ids[:: max(1, len(ids) // PEOPLE)][:PEOPLE]


def milliseconds(look_up: Callable[[], object]) -> float:
    """How long one look-up takes."""
    started = time.perf_counter()
    look_up()
    return 1000 * (time.perf_counter() - started)


def bare(workspace: Workspace, distinct_id: str) -> object:
    """The person's events, counted."""
    [user_id] = workspace.keys.hashes(distinct_id)
    span = {"since": AS_OF - timedelta(days=31), "until": AS_OF}
    return workspace.warehouse.sql(BARE, {"user_id": str(user_id), **span}).fetchone()


if __name__ == "__main__":
    options = arguments(__doc__)
    folder = ingested(options.folder, options.events)
    with open_workspace(folder) as workspace:
        workspace.score(AS_OF, since=AS_OF - timedelta(days=14))
        ids = some_ids(options.folder / f"export-{options.events}")
        found = {
            "bare look-up": [milliseconds(lambda key=key: bare(workspace, key)) for key in ids],
            "one person": [
                milliseconds(lambda key=key: workspace.user(key, as_of=AS_OF)) for key in ids
            ],
        }
    print(f"\n### Look-ups, {options.events:,} events\n\n| | p50 ms | p95 ms |\n|---|---|---|")
    for name, each in found.items():
        percentiles = statistics.quantiles(each, n=20)
        print(f"| {name} | {statistics.median(each):.1f} | {percentiles[-1]:.1f} |")
    shutil.rmtree(folder)
