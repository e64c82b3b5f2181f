"""What the processes of the concurrency test do: `concurrent_roles.py ROLE FOLDER LOG`.

Each works on the same workspace until there is a file `stop` beside LOG, where it writes a line for
each thing done.
"""

import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from exports import Event, event

from mi_core import open_workspace
from mi_core.ingest.inbox import Taken
from mi_core.workspace import Workspace

AS_OF = datetime(2024, 7, 1, tzinfo=UTC)
PAUSE_SECONDS = 0.1
CONSISTENT = """
select
    (select count(*) from lake.analytics_events),
    (select count(*) from lake.user_event),
    (select count(distinct event_id) from lake.user_event),
    (select count(*) from lake.user_event anti join lake.user_milestone using (user_id))
"""


def visits(rng: random.Random) -> Iterator[list[Event]]:
    """Batches of events of 50 people, some of whom get to know a further id of theirs."""
    while True:
        batch = []
        for _ in range(rng.randint(1, 5)):
            at = datetime(2024, 5, 1) + timedelta(minutes=rng.randrange(80_000))
            number = rng.randrange(50)
            link = {"$anon_distinct_id": f"anon-{number}"} if rng.random() < 0.1 else {}
            name = "$identify" if link else rng.choice(["$pageview", "purchase", "feature_used"])
            row = event(name, f"person {number}", f"{at:%m-%d %H:%M}", link, session=f"s{number}")
            batch.append(row | {"uuid": str(uuid.UUID(int=rng.getrandbits(128), version=4))})
        yield batch


def write(workspace: Workspace, say: Callable[[str], None]) -> Iterator[None]:
    """Post events, a fifth of them twice; an id is written down once it is acknowledged."""
    rng = random.Random()
    for batch in visits(rng):
        again = [row for row in batch if rng.random() < 0.2]
        posted = workspace.post([*batch, *again], received_at=AS_OF)
        assert posted == Taken(len(batch), len(again))
        say(" ".join(row["uuid"] for row in batch))
        yield
        time.sleep(PAUSE_SECONDS)


def refresh(workspace: Workspace, say: Callable[[str], None]) -> Iterator[None]:
    while True:
        drained = workspace.drain()
        summary = workspace.score(AS_OF)
        say(f"{drained} {summary.mode}")
        yield


def read(workspace: Workspace, say: Callable[[str], None]) -> Iterator[None]:
    """See the tables at one moment each time: what belongs together is there together."""
    while True:
        events, typed, distinct, strangers = workspace.sql(CONSISTENT).row(0)
        assert (events, strangers) == (typed, 0), "half of a publish"
        assert typed == distinct, "an event twice"
        say(str(events))
        yield
        time.sleep(PAUSE_SECONDS)


def main(role: str, folder: Path, log: Path) -> None:
    step = {"write": write, "refresh": refresh, "read": read, "look": read}[role]
    stop = log.with_name("stop")
    with log.open("a", buffering=1) as handle:
        while not stop.exists():
            with open_workspace(folder) as workspace:
                for _ in step(workspace, lambda line: print(line, file=handle)):
                    if role == "look" or stop.exists():
                        break
            time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
