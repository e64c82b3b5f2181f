"""Walks over channels as data for a chain, and the chain solved as plainly as can be."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mi_core.attribution.markov import CODE_BITS, CONVERSION, NULL, Chain

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Walk:
    """The channels, numbered from 1, that one person came by, and whether that led to something."""

    channels: tuple[int, ...]
    converts: bool


def random_walks(seed: int, people: int, channels: int, longest: int = 6) -> list[Walk]:
    """Of which the later channels are rarer, and better."""
    rng = np.random.default_rng(seed)
    shares = 1 / np.arange(2, channels + 2)
    lengths = rng.integers(1, longest + 1, people)
    return [
        Walk(
            tuple(int(each) for each in path),
            bool(rng.random() < 0.1 + 0.4 * np.mean(path) / channels),
        )
        for path in (
            rng.choice(channels, size, p=shares / shares.sum()) + 1 for size in lengths.tolist()
        )
    ]


def chain_of(walks: Sequence[Walk], channels: int, order: int = 1) -> tuple[Chain, Floats]:
    """The chain of some walks, and how often each of them takes each edge, [walks, edges]."""
    steps = [list(_steps(walk, order)) for walk in walks]
    edges = sorted({step for each in steps for step in each})
    number = {edge: place for place, edge in enumerate(edges)}
    counts = np.zeros((len(walks), len(edges)))
    for row, each in zip(counts, steps, strict=True):
        for step in each:
            row[number[step]] += 1
    source, target = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    return Chain.from_edges(source, target, channels), counts


def _steps(walk: Walk, order: int) -> list[tuple[int, int]]:
    states = [0]
    for channel in walk.channels:
        states.append((states[-1] << CODE_BITS | channel) & ((1 << order * CODE_BITS) - 1))
    return list(zip(states, [*states[1:], CONVERSION if walk.converts else NULL], strict=True))


def grouped(counts: Floats, groups: int) -> sparse.csr_array:
    """Walks put into groups by the throw of a die, and their counts added up."""
    group = np.random.default_rng(groups).integers(0, groups, len(counts))
    sums = np.zeros((groups, counts.shape[1]))
    np.add.at(sums, group, counts)
    return sparse.csr_array(sums)


def effects_of_all_states(
    walks: Sequence[Walk], channels: int, order: int = 1
) -> tuple[float, list[float]]:
    """The share that converts and removal effects, solved for the chain as a whole, each anew.

    A state is a tuple of the last channels, repeats too; whoever would come to a state of the
    removed channel goes to the end without conversion.
    """
    counts: Counter[tuple[tuple[int, ...], tuple[int, ...] | str]] = Counter()
    for walk in walks:
        path = walk.channels
        states = [path[max(0, i - order) : i] for i in range(len(path) + 1)]
        counts.update(zip(states, [*states[1:], "yes" if walk.converts else "no"], strict=True))
    place = {state: number for number, state in enumerate(sorted({s for s, _ in counts}))}
    between, to_yes = np.zeros((len(place), len(place))), np.zeros(len(place))
    for (source, target), times in counts.items():
        if isinstance(target, tuple):
            between[place[source], place[target]] = times
        elif target == "yes":
            to_yes[place[source]] = times
    left = np.array([sum(n for (s, _), n in counts.items() if s == state) for state in place])

    def converting(removed: int | None = None) -> float:
        gone = [number for state, number in place.items() if state[-1:] == (removed,)]
        system = np.diag(left) - between
        system[:, gone] = np.diag(left)[:, gone]
        return float(np.linalg.solve(system, to_yes)[place[()]])

    base = converting()
    return base, [1 - converting(channel) / base for channel in range(1, channels + 1)]
