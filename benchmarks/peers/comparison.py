"""Contenders side by side: what each costs, and how far its answer is from ours.

Each runs in a process of its own, once for practice and once for the record, and they take turns.
What isn't installed is named and left out. An answer is `{measure: {key: number}}`; two are
compared in the measures that both have, relative to the measure's total.
"""

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from measure import Cost, counted, in_turns
from peers.data import FULL, SMALL

Answer = Mapping[str, Mapping[Any, float]]

EXACT = 1e-9
ROUNDED = 1e-6
SIMULATED = 0.02


@dataclass(frozen=True)
class Contender:
    """A way to do a piece of work."""

    name: str
    work: Callable[[Any], Any]
    """Gets what `prepare` made; returns an Answer where there is one."""
    prepare: Callable[[Path], Any] = Path
    """What comes before and isn't counted, from the folder of data."""
    needs: Sequence[str] = ()
    """Modules that have to be installed."""
    within: float | None = EXACT
    """How far from ours the answer may be; None for another model."""
    practice: bool = True
    """False for what takes minutes."""


def compare(
    title: str, data: Path, rounds: int, contenders: Sequence[Contender], *, ours: str, bare: str
) -> None:
    """Print costs and differences as a Markdown table; ends the program where one is too large."""
    present = [each for each in contenders if _is_installed(each)]
    costs = in_turns({each.name: partial(_measured, each, data) for each in present}, rounds)
    print(
        f"\n### {title}\n\n| | wall s | cpu s | × {ours} | × {bare} | peak MB | off by |"
        "\n|---|---|---|---|---|---|---|"
    )
    for each in present:
        cost = costs[each.name]
        ratios = [cost.cpu_seconds / costs[base].cpu_seconds for base in (ours, bare)]
        print(
            f"| {each.name} | {cost.wall_seconds:.3f} | {cost.cpu_seconds:.3f}"
            f" | {ratios[0]:.2f} | {ratios[1]:.1f} | {cost.peak_mb:,.0f}"
            f" | {_difference(each, cost, costs[ours])} |",
            flush=True,
        )
    missing = [each.name for each in contenders if each not in present]
    if missing:
        print(f"\nNot installed: {', '.join(missing)}.")
    _hold(present, costs, ours)


def off_by(answer: Answer, ours: Answer) -> float:
    """The largest difference in a measure that both have, as a share of the measure's total."""
    return max(
        (
            abs(answer[measure].get(key, 0) - ours[measure].get(key, 0))
            / sum(ours[measure].values())
            for measure in answer.keys() & ours.keys()
            for key in answer[measure].keys() | ours[measure].keys()
        ),
        default=0.0,
    )


def _measured(contender: Contender, data: Path) -> Any:
    prepared = contender.prepare(data)
    if contender.practice:
        contender.work(prepared)
    with counted():
        answer = contender.work(prepared)
    return answer


def _is_installed(contender: Contender) -> bool:
    return all(importlib.util.find_spec(module) for module in contender.needs)


def _difference(contender: Contender, cost: Cost, ours: Cost) -> str:
    if cost is ours or not cost.answer or cost.answer.keys().isdisjoint(ours.answer):
        return ""
    far = off_by(cost.answer, ours.answer)
    return f"another model: {far:.2f}" if contender.within is None else f"{far:.0e}"


def _hold(present: Sequence[Contender], costs: Mapping[str, Cost], ours: str) -> None:
    for each in present:
        answer = costs[each.name].answer
        if answer and each.within is not None:
            far = off_by(answer, costs[ours].answer)
            if far > each.within:
                sys.exit(f"{each.name} is {far:.2g} of the total from {ours}; {each.within} may be")


def arguments(description: str) -> tuple[Path, int]:
    """The folder of generated data and the number of rounds that the command line asks for."""
    from peers.generate import generated

    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--small", action="store_true", help="a hundredth of the data")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of all contenders in turn")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(tempfile.gettempdir()) / "mi-benchmarks",
        help="where generated data is kept between runs",
    )
    options = parser.parse_args()
    size = SMALL if options.small else FULL
    print(f"{size.journeys:,} journeys; {size.events:,} events of {size.users:,} people")
    return generated(options.data, size), options.rounds
