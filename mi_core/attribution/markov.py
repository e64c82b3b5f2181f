"""Removal effects of keys (channels, campaigns …) in a Markov chain over the steps of paths.

A path is a walk from `start` over states to `conversion` or `null`; in a chain of order k, a state
is the last k keys. Transition probabilities are shares of counts. A key's removal effect is the
share of conversions that the chain loses without it, and credit goes in proportion to it (Anderl,
Becker, von Wangenheim & Schumann 2016, "Mapping the customer journey", IJRM 33(3)).

Nothing is simulated. With C the counts between states, D how often each state is left for another
state or an end (so that repeats of one key cancel) and c the counts into conversion, the
probability h of converting from each state solves (D − C) h = c. What goes without a key whose
states are S is G[start, S] · G[S, S]⁻¹ · h[S], where G = (D − C)⁻¹. In a chain of order 1 that is
the probability of ever meeting the key times that of converting from there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

REMOVAL_STRATEGY = "redirect_to_null"
"""Whoever would have come to the removed key ends there, without a conversion."""

CODE_BITS = 15
CONVERSION, NULL = -1, -2

EXACT_STATES = 80
"""Up to so many states each draw is solved anew; beyond, draws are linearised."""

_SMALLEST_STEP = 1e-14
_PATIENCE = 250
_NUMBERS_AT_ONCE = 2**21
_KEYS_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Chain:
    """Which states follow which. Counts come separately, one for each of the E edges.

    Counts are of whole paths, so that a state is left as often as it is entered; they may be 0, and
    any multiple of them gives the same effects.
    """

    keys: int
    states: int
    """How many, with `start`, which is state 0."""
    source: IntArray
    """[E] the state that each edge leaves."""
    target: IntArray
    """[E] the state that it enters, CONVERSION or NULL."""
    key: IntArray
    """[states] the newest key of each state; 0 for `start`."""

    @classmethod
    def from_edges(cls, from_state: IntArray, to_state: IntArray, keys: int) -> Self:
        """The chain of distinct edges.

        Parameters
        ----------
        from_state
            [E] the last k key codes (1 … `keys`), 15 bits each, the newest in the lowest; 0 is the
            start.
        to_state
            [E] the same, or −1 for conversion and −2 for null.
        keys
            How many keys there are; effects come in the order of their codes.
        """
        inner = to_state >= 0
        packed = np.unique(np.concatenate([[0], from_state, to_state[inner]]))
        source = np.searchsorted(packed, from_state)
        target = np.where(inner, np.searchsorted(packed, to_state), to_state)
        _check_edges(packed, source, target, keys)
        return cls(keys, len(packed), source, target, packed & _NEWEST)

    def removal_effects(self, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The share of paths that convert, and each key's removal effect, solved exactly.

        Effects lie in 0-1; a key that nobody met has none. Where no path converts they are
        undefined (NaN), and where there is no path, so is the share.

        Parameters
        ----------
        counts
            [E], or [D, E] for several draws.

        Returns
        -------
        tuple
            [] and [K], or [D] and [D, K].

        Raises
        ------
        ValueError
            If these can't be the counts of whole paths.
        """
        rows = np.atleast_2d(np.asarray(counts, dtype=np.float64))
        self._check_counts(rows)
        solve = self._lost_dense if self.states <= EXACT_STATES else self._lost_sparse
        base = _ratio(*self._conversions_and_paths(rows))
        effects = _effects(solve(rows), base)
        shape = np.shape(counts)[:-1]
        return base.reshape(shape), effects.reshape(*shape, self.keys)

    def bootstrap(
        self, by_group: sparse.csr_array, weights: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The same of draws of groups, [D] and [D, K]; [D, E] is never in memory as a whole.

        Up to `EXACT_STATES` states, each draw is solved anew. Beyond, the probability of converting
        without a key is taken as linear in a draw's counts, around those of all groups together:
        the infinitesimal approximation, or delta method, by influence functions (Efron & Tibshirani
        1993, ch. 21 and 22), with one adjoint solve per key. A draw then costs products alone,
        whatever the order. The share that converts is exact in either case.

        Parameters
        ----------
        by_group
            [G, E] the counts of each group.
        weights
            [D, G] how often each group is in each draw.
        """
        draw = self._linearised if self.states > EXACT_STATES else self._again
        size = max(1, _NUMBERS_AT_ONCE // max(1, len(self.source)))
        return draw(by_group, weights, size)

    def _again(
        self, by_group: sparse.csr_array, weights: FloatArray, size: int
    ) -> tuple[FloatArray, FloatArray]:
        base, effects = np.empty(len(weights)), np.empty((len(weights), self.keys))
        for part in _parts(len(weights), size):
            base[part], effects[part] = self.removal_effects(weights[part] @ by_group)
        return base, effects

    def _linearised(
        self, by_group: sparse.csr_array, weights: FloatArray, _: int
    ) -> tuple[FloatArray, FloatArray]:
        total = np.asarray(by_group.sum(axis=0), dtype=np.float64)
        self._check_counts(total[np.newaxis])
        conversions, paths = (weights @ each for each in self._conversions_and_paths(by_group))
        scale = _ratio(self._conversions_and_paths(total)[1], paths)
        lost = np.empty((len(weights), self.keys))
        for part in _parts(self.keys, _KEYS_AT_ONCE):
            point, slope = self._tangent(total, part)
            lost[:, part] = point + scale[:, np.newaxis] * (weights @ (by_group @ slope))
        base = _ratio(conversions, paths)
        return base, _effects(lost, base)

    def _tangent(self, counts: FloatArray, part: slice) -> tuple[FloatArray, FloatArray]:
        """P(conversion) that goes with each key, [k], and how it changes with each count, [E, k].

        Without a key, one more passage from i to j changes P(conversion) by visits[i] / D[i] ·
        (h[j] − h[i]), with the visits and the h of the chain without it.
        """
        moves, converts, leaving = self._probabilities(counts)
        starts = np.zeros(self.states)
        starts[0] = 1
        removed = self._removed(part)
        h = _solve_without(moves, converts, removed)
        visits = _solve_without(sparse.csr_array(moves.T), starts, removed)
        # Two rows after those of the states, for NULL (−2) and CONVERSION (−1).
        after = np.vstack([h, np.zeros_like(h[:1]), np.ones_like(h[:1])])
        slope = (visits / leaving[:, np.newaxis])[self.source] * (
            after[self.target] - h[self.source]
        )
        return _first_minus_others(h[0]), _first_minus_others(slope)

    def _lost_dense(self, rows: FloatArray) -> FloatArray:
        """P(conversion) that goes with each key, [D, K], by one inverse per draw."""
        lost = np.zeros((len(rows), self.keys))
        states = [np.flatnonzero(self.key == key) for key in range(1, self.keys + 1)]
        for part in _parts(len(rows), max(1, _NUMBERS_AT_ONCE // self.states**2)):
            inverse, h = self._inverse(rows[part])
            for key, at in enumerate(states):
                block = inverse[:, at[:, np.newaxis], at]
                through = np.linalg.solve(block, h[:, at, np.newaxis])[..., 0]
                lost[part, key] = np.sum(inverse[:, 0, at] * through, axis=1)
        return lost

    def _inverse(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(D − C)⁻¹, [D, states, states], and the probability h of converting, [D, states]."""
        inner, diagonal = self._inner, np.arange(self.states)
        system = np.zeros((len(rows), self.states, self.states))
        system[:, self.source[inner], self.target[inner]] = -rows[:, inner]
        system[:, diagonal, diagonal] = _or_one((rows * self._is_move) @ self._leaves)
        converts = (rows * (self.target == CONVERSION)) @ self._leaves
        inverse = np.asarray(np.linalg.inv(system), dtype=np.float64)
        return inverse, np.einsum("dij,dj->di", inverse, converts)

    def _lost_sparse(self, rows: FloatArray) -> FloatArray:
        """P(conversion) that goes with each key, [D, K], for any number of states."""
        lost = np.zeros((len(rows), self.keys))
        for draw, counts in enumerate(rows):
            moves, converts, _ = self._probabilities(counts)
            for part in _parts(self.keys, _KEYS_AT_ONCE):
                h = _solve_without(moves, converts, self._removed(part))
                lost[draw, part] = _first_minus_others(h[0])
        return lost

    def _probabilities(self, counts: FloatArray) -> tuple[sparse.csr_array, FloatArray, FloatArray]:
        """Of each other state coming next, [states, states]; of conversion; and D, [states]."""
        leaving = _or_one((counts * self._is_move) @ self._leaves)
        share, inner = counts / leaving[self.source], self._inner
        places = (self.source[inner], self.target[inner])
        moves = sparse.csr_array((share[inner], places), shape=(self.states, self.states))
        return moves, (share * (self.target == CONVERSION)) @ self._leaves, leaving

    def _removed(self, part: slice) -> "_Removed":
        """Of each of some keys, which states go with it."""
        codes = np.arange(1, self.keys + 1)[part]
        states = np.flatnonzero(np.isin(self.key, codes))
        return _Removed(states, self.key[states] - codes[0] + 1, 1 + len(codes))

    @cached_property
    def _is_move(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.source != self.target)

    @cached_property
    def _inner(self) -> IntArray:
        """The edges from a state to another."""
        return np.flatnonzero(self._is_move & (self.target >= 0))

    @cached_property
    def _leaves(self) -> sparse.csr_array:
        """[E, states] sums up what there is of each edge by the state that it leaves."""
        edges = np.arange(len(self.source))
        ones = np.ones(len(edges))
        return sparse.csr_array((ones, (edges, self.source)), shape=(len(edges), self.states))

    @cached_property
    def _enters(self) -> sparse.csr_array:
        edges = np.flatnonzero(self.target >= 0)
        places = (edges, self.target[edges])
        return sparse.csr_array((np.ones(len(edges)), places), shape=self._leaves.shape)

    def _conversions_and_paths(
        self, counts: FloatArray | sparse.csr_array
    ) -> tuple[FloatArray, FloatArray]:
        """How many paths convert, and how many there are, in each row of counts."""
        conversions, paths = self.target == CONVERSION, self.source == 0
        return counts @ conversions.astype(np.float64), counts @ paths.astype(np.float64)

    def _check_counts(self, rows: FloatArray) -> None:
        if rows.shape[1] != len(self.source):
            raise ValueError(f"{rows.shape[1]} counts for {len(self.source)} edges")
        surplus = np.abs(rows @ self._enters - rows @ self._leaves)[:, 1:]
        if np.max(surplus, initial=0) > 1e-9 * np.max(rows, initial=1):
            raise ValueError("Counts must be of whole paths: a state is left as often as entered")


class _Removed(NamedTuple):
    """For a block of columns, the first with nothing removed: which states miss in which."""

    states: IntArray
    columns: IntArray
    width: int


def _solve_without(moves: sparse.csr_array, source: FloatArray, removed: _Removed) -> FloatArray:
    """X = moves · x + source without the removed states, [states, columns], by Jacobi's iteration.

    From 0 it rises to the solution, as moving mass is absorbed; in large chains that is sooner than
    a factorisation, which would fill up. Where mass is long under way, as between two states that
    one person went to and fro ten thousand times, GMRES takes it to where it goes (Saad & Schultz
    1986): few directions are left by then.
    """
    x = np.zeros((len(source), removed.width))
    step, steps = np.inf, 0
    while step > _SMALLEST_STEP * np.max(x, initial=1):
        following = moves @ x + source[:, np.newaxis]
        following[removed.states, removed.columns] = 0
        change, steps = following - x, steps + 1
        step = np.max(np.abs(change), initial=0)
        if steps % _PATIENCE == 0:
            following = x + _way_left(moves, change, removed)
        x = following
    return x


def _way_left(moves: sparse.csr_array, change: FloatArray, removed: _Removed) -> FloatArray:
    """(1 − moves)⁻¹ · change without the removed states, nearly: one column after the other."""
    from scipy.sparse.linalg import LinearOperator, gmres

    left = change.copy()
    for column in range(removed.width):
        gone = removed.states[removed.columns == column]

        def stays(x: FloatArray, gone: IntArray = gone) -> FloatArray:
            following = moves @ x
            following[gone] = 0
            return np.asarray(x - following)

        system = LinearOperator(moves.shape, stays, dtype=np.float64)
        left[:, column] = gmres(system, change[:, column], rtol=1e-10, maxiter=10)[0]
    return left


def _first_minus_others(columns: FloatArray) -> FloatArray:
    return columns[..., :1] - columns[..., 1:]


def _effects(lost: FloatArray, base: FloatArray) -> FloatArray:
    return np.clip(_ratio(lost, base[:, np.newaxis]), 0, 1)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """NaN where there is no whole."""
    return np.asarray(part / np.where(whole == 0, np.nan, whole))


def _or_one(counts: FloatArray) -> FloatArray:
    """1 for a state that nobody leaves, as nobody comes there either."""
    return np.where(counts == 0, 1.0, counts)


def _parts(length: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, length, size))


_NEWEST = 2**CODE_BITS - 1


def _check_edges(packed: IntArray, source: IntArray, target: IntArray, keys: int) -> None:
    if not 0 <= keys <= _NEWEST:
        raise ValueError(f"There are {keys} keys; a state has room for {_NEWEST}")
    newest = packed[1:] & _NEWEST
    if packed[0] < 0 or np.any((newest < 1) | (newest > keys)):
        raise ValueError(f"A state must be 0, or end in a key between 1 and {keys}")
    if np.any(target == 0) or np.any(target < NULL):
        raise ValueError("An edge enters a state, −1 (conversion) or −2 (null), but not the start")
    if len(set(zip(source.tolist(), target.tolist(), strict=True))) < len(source):
        raise ValueError("Edges must be distinct")
