"""One person's answers in a workspace that is open, as a service's worker has it.

Magnetism and intent as the newest scoring stored them, the persona in force, the journey with its
attribution, and the person scored live from their events. Beside them a bare look-up: the same
person's events of 31 days, counted.

With `--workspace PATH`, people of the sample are looked up in a workspace that is scored already.
"""

import shutil
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measure import ingested, parser

from mi_core import open_workspace
from mi_core.workspace import Workspace

AS_OF = datetime(2024, 7, 1, tzinfo=UTC)
PEOPLE = 300
BARE = (
    "select count(*) from lake.user_event where user_bucket = bucket_of($user_id::uuid)"
    " and user_id = $user_id::uuid"
    " and occurred_at >= $since::timestamp and occurred_at < $until::timestamp"
)


def some_ids(truth: Path, count: int = PEOPLE) -> list[str]:
    """Ids of the product, spread over all people."""
    from mi_core.synthetic import load_truth

    ids = load_truth(truth).persons().filter(has_consent=True)["distinct_id"].to_list()
    return ids[:: max(1, len(ids) // count)][:count]


def bare(workspace: Workspace, distinct_id: str) -> object:
    """The person's events, counted."""
    [user_id] = workspace.keys.hashes(distinct_id)
    span = {"since": AS_OF - timedelta(days=31), "until": AS_OF}
    return workspace.warehouse.sql(BARE, {"user_id": str(user_id), **span}).fetchone()


def persona(workspace: Workspace, distinct_id: str) -> object:
    """The assignment in force, with its bucket."""
    return workspace.state.assignment_of(str(workspace.user_id_of(distinct_id)))


LOOK_UPS: dict[str, Callable[[Workspace, str], object]] = {
    "bare look-up": bare,
    "magnetism and intent, stored (`scores`)": Workspace.scores,
    "persona in force": persona,
    "attribution (`journey`)": Workspace.journey,
    "live from the events (`user`)": Workspace.user,
}


def milliseconds(
    look_up: Callable[[Workspace, str], object], workspace: Workspace, distinct_id: str
) -> tuple[float, float]:
    """How long one look-up takes, and of it on a CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    look_up(workspace, distinct_id)
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)


def measure(workspace: Workspace, ids: list[str]) -> None:
    """Print each look-up's times; they take turns, so that what else runs falls on all of them."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in LOOK_UPS}
    for number, distinct_id in enumerate([ids[0], *ids]):
        for name, look_up in LOOK_UPS.items():
            took = milliseconds(look_up, workspace, distinct_id)
            if number:  # The first time, modules are imported.
                found[name].append(took)
    print("| | p50 ms | p95 ms | p50 cpu ms | p95 cpu ms |\n|---|---|---|---|---|")
    for name, times in found.items():
        figures = []
        for each in zip(*times, strict=True):
            figures += [statistics.median(each), statistics.quantiles(each, n=20)[-1]]
        print(f"| {name} | {' | '.join(f'{figure:.0f}' for figure in figures)} |")


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--workspace", type=Path, help="one with this sample, scored")
    options.add_argument("--people", type=int, default=PEOPLE, help="how many are looked up")
    asked = options.parse_args()
    folder = asked.workspace or ingested(asked.folder, asked.events)
    with open_workspace(folder) as workspace:
        if not asked.workspace:
            workspace.score(AS_OF, since=AS_OF - timedelta(days=14))
        print(f"\n### Look-ups, {asked.events:,} events\n")
        measure(workspace, some_ids(asked.folder / f"export-{asked.events}", asked.people))
    if not asked.workspace:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
