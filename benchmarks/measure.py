"""How a piece of work is measured: each time in a fresh process, its wall and CPU seconds, its peak
memory. Contenders take turns, so that what else the machine does falls on all of them; medians are
compared, as ratios.
"""

import argparse
import multiprocessing
import resource
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Cost:
    """Of one run, or the medians of several. `peak_mb` includes the interpreter and its imports."""

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float
    answer: Any = None
    """What the work returned, of several runs the last one."""


def in_turns(contenders: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, Cost]:
    """The median cost of each contender over `rounds` rounds."""
    runs: dict[str, list[Cost]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            runs[name].append(alone(work))
    return {name: median(costs) for name, costs in runs.items()}


def alone(work: Callable[[], Any]) -> Cost:
    """The cost of `work` in a process of its own, or of the block in it that is `counted`."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(work, sender))
    process.start()
    sender.close()
    cost: Cost = receiver.recv()
    process.join()
    return cost


_own: list[tuple[float, float]] = []


@contextmanager
def counted() -> Iterator[None]:
    """Count only this block of a piece of work: what comes before it is preparation."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    _own.append((time.perf_counter() - wall, time.process_time() - cpu))


def _run(work: Callable[[], Any], sender: Any) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    answer = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if _own:
        wall, cpu = _own[-1]
    sender.send(Cost(wall, cpu, _peak_mb(), answer))


def _peak_mb() -> float:
    """The most memory that this process has held.

    Linux says it per program; `getrusage` begins with what the process that started this one held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def median(costs: list[Cost]) -> Cost:
    """The median of each figure of several runs."""

    def of(name: str) -> float:
        return statistics.median(getattr(cost, name) for cost in costs)

    return Cost(of("wall_seconds"), of("cpu_seconds"), of("peak_mb"), costs[-1].answer)


def arguments(description: str) -> argparse.Namespace:
    """The options that all benchmarks share."""
    return parser(description).parse_args()


def parser(description: str) -> argparse.ArgumentParser:
    """The parser of these options, for a benchmark with more."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--events", type=int, default=1_000_000, help="events to measure with")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of all contenders in turn")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("data/benchmarks"),
        help="where sample data is kept between runs",
    )
    return parser


def sample(folder: Path, events: int) -> Path:
    """A synthetic export of `events` events, made once."""
    from mi_core.synthetic import generate

    target = folder / f"export-{events}"
    if not (target / "truth" / "truth.json").exists():
        generate(target, events=events, seed=0)
    return target / "events"


def ingested(folder: Path, events: int) -> Path:
    """A workspace that holds the sample, made once; a benchmark works on a copy of it."""
    from mi_core import open_workspace

    export, kept = sample(folder, events), folder / f"workspace-{events}"
    if not kept.exists():
        unfinished = folder / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        with open_workspace(unfinished) as workspace:
            workspace.ingest([export])
        unfinished.rename(kept)
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    return Path(shutil.copytree(kept, copy))


def show(title: str, costs: Mapping[str, Cost], base: str) -> None:
    """Print the costs as a Markdown table, CPU as a ratio to that of `base`."""
    print(f"\n### {title}\n\n| | wall s | cpu s | × {base} | peak MB |\n|---|---|---|---|---|")
    for name, cost in costs.items():
        ratio = cost.cpu_seconds / costs[base].cpu_seconds
        print(
            f"| {name} | {cost.wall_seconds:.2f} | {cost.cpu_seconds:.2f}"
            f" | {ratio:.1f} | {cost.peak_mb:,.0f} |"
        )
