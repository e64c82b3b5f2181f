"""Shapley values of keys (channels, campaigns …) in a game of coalitions.

A key's Shapley value is what it adds to the value v(S) of the coalition S of keys that came before
it, over all orders of coming (Shapley 1953, "A value for n-person games"). "Shapley" is as many
models as there are value functions, so the function's name stands beside every result.
"""

from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mi_core.errors import UnknownName

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

EXACT_UP_TO = 15
"""So many keys on paths; with more, `conversion_rate` is sampled."""

VALUE_FUNCTIONS = {
    "conversions": "v(S) is the number of conversions of paths whose keys all lie in S.",
    "conversion_rate": "v(S) is the share of paths that convert, of those whose keys all lie in S.",
}

_NUMBERS_AT_ONCE = 2**21


@dataclass(frozen=True, slots=True, eq=False)
class ShapleyResult:
    """Credits that add up to all conversions; under `conversion_rate`, one may be negative."""

    credit: FloatArray
    """[K], or [D, K] for several draws."""
    error: FloatArray | None
    """The standard error of each that is due to sampling orders; none where nothing is sampled."""


def shapley(
    members: BoolArray,
    conversions: FloatArray,
    nulls: FloatArray,
    *,
    value_function: str = "conversions",
    samples: int = 1_000,
    seed: int = 0,
) -> ShapleyResult:
    """Conversions credited to keys by their Shapley values.

    `conversions` is exact for any number of keys: the game is a sum of unanimity games, so that
    each path's conversions are shared equally by its distinct keys (Zhao, Mahboobi & Bagheri 2018,
    "Shapley value methods for attribution modeling in online advertising"). Any quantity that adds
    up over paths, such as money, may stand in place of the conversions.

    `conversion_rate` is worth 0 for a coalition without paths; its values, which add up to the rate
    of all paths, are scaled so as to add up to all conversions. Exact up to `EXACT_UP_TO` keys;
    beyond, from random orders, each with its reverse (antithetic), which are the same for all draws
    and for every call with the same `seed` and `samples` (Castro, Gómez & Tejada 2009).

    Parameters
    ----------
    members
        [C, K] which keys each set of keys has. Sets may repeat.
    conversions, nulls
        [C] paths with that set that convert, and that don't; or [D, C] for several draws.
    value_function
        One of `VALUE_FUNCTIONS`.
    samples
        How many orders, if any are sampled; an even number, at least 4.

    Raises
    ------
    UnknownName
        If there is no such value function.
    ValueError
        If a set has no keys.
    """
    if value_function not in VALUE_FUNCTIONS:
        raise UnknownName("value function", value_function, VALUE_FUNCTIONS)
    shares = equal_shares(members)
    if value_function == "conversions":
        return ShapleyResult(conversions @ shares, None)
    seen = np.flatnonzero(members.any(axis=0))
    converted = np.atleast_2d(conversions)
    paths = converted + nulls
    if len(seen) <= EXACT_UP_TO:
        values, error = _exact(members[:, seen], converted, paths), None
    else:
        orders = _orders(len(seen), samples, seed)
        values, error = _sampled(members[:, seen], converted, paths, orders)
    shape = np.shape(conversions)[:-1]
    scale, keys = paths.sum(axis=1, keepdims=True), members.shape[1]
    return ShapleyResult(
        _spread(values * scale, seen, keys).reshape(*shape, keys),
        None if error is None else _spread(error * scale, seen, keys).reshape(*shape, keys),
    )


def equal_shares(members: BoolArray) -> FloatArray:
    """[C, K] what each key gets of a path with that set of keys: the game `conversions`.

    Raises
    ------
    ValueError
        If a set has no keys: whatever it holds would be nobody's.
    """
    sizes = members.sum(axis=1, keepdims=True)
    if not np.all(sizes):
        raise ValueError("A path without keys can't be credited to any")
    shares: FloatArray = members / sizes
    return shares


def _exact(members: BoolArray, conversions: FloatArray, paths: FloatArray) -> FloatArray:
    """[D, K] Shapley values of the rate, from its value for each of the 2^K coalitions."""
    sets, keys = members.shape
    places = (members @ (1 << np.arange(keys)), np.arange(sets))
    coalition = sparse.csr_array((np.ones(sets), places), shape=(2**keys, sets))
    weights = _coalition_weights(keys)
    values = np.empty((len(paths), keys))
    size = max(1, _NUMBERS_AT_ONCE // 2**keys)
    for start in range(0, len(paths), size):
        part = slice(start, start + size)
        inside = [_sum_of_subsets(coalition @ each[part].T) for each in (conversions, paths)]
        values[part] = _rate(*inside).T @ weights
    return values


def _sum_of_subsets(exact: FloatArray) -> FloatArray:
    """[2^K, D] what lies inside each coalition, from what is just it (the zeta transform)."""
    inside = exact.copy(order="C")
    for key in range(len(exact).bit_length() - 1):
        halves = inside.reshape(-1, 2, 2**key, exact.shape[1])
        halves[:, 1] += halves[:, 0]
    return inside


def _coalition_weights(keys: int) -> FloatArray:
    """[2^K, K] how much of each coalition's value goes to each key, positive for its members."""
    coalitions = np.arange(2**keys)
    is_member = (coalitions[:, np.newaxis] >> np.arange(keys)) & 1 == 1
    size = is_member.sum(axis=1, keepdims=True)
    # A member came last of `size` keys; anybody else would come next, after `size` keys.
    before = np.where(is_member, size - 1, np.minimum(size, keys - 1))
    share = np.array([1 / (keys * comb(keys - 1, earlier)) for earlier in range(keys)])
    return np.asarray(np.where(is_member, share[before], -share[before]))


def _orders(keys: int, samples: int, seed: int) -> IntArray:
    """[samples / 2, K] the place of each key in random orders."""
    if samples < 4 or samples % 2:
        raise ValueError(f"Orders come in pairs, at least two; {samples} isn't such a number")
    in_turn = np.tile(np.arange(keys), (samples // 2, 1))
    return np.random.default_rng(seed).permuted(in_turn, axis=1)


def _sampled(
    members: BoolArray, conversions: FloatArray, paths: FloatArray, orders: IntArray
) -> tuple[FloatArray, FloatArray]:
    """[D, K] mean values over orders and their reverses, and the standard errors of these means."""
    pairs, keys = orders.shape
    draws = len(paths)
    counts = np.ascontiguousarray(np.concatenate([conversions, paths]).T)
    total, squares = np.zeros((keys, draws)), np.zeros((keys, draws))
    size = max(1, _NUMBERS_AT_ONCE // (4 * draws * keys))
    for start in range(0, pairs, size):
        places = orders[start : start + size]
        pair = _marginal(members, counts, places) / 2
        pair += _marginal(members, counts, keys - 1 - places) / 2
        total += pair.sum(axis=0)
        squares += np.square(pair).sum(axis=0)
    mean = total / pairs
    variance = np.maximum(squares / pairs - np.square(mean), 0) / (pairs - 1)
    return mean.T, np.sqrt(variance).T


def _marginal(members: BoolArray, counts: FloatArray, places: IntArray) -> FloatArray:
    """[orders, K, D] what each key adds to the rate when it comes."""
    orders, keys = places.shape
    complete = _last_places(members, places) + keys * np.arange(orders)[:, np.newaxis]
    sets = np.tile(np.arange(len(members)), orders)
    cells = (complete.ravel(), sets)
    arrive = sparse.csr_array((np.ones(len(sets)), cells), shape=(orders * keys, len(members)))
    inside = np.cumsum((arrive @ counts).reshape(orders, keys, -1), axis=1)
    rate = _rate(*np.split(inside, 2, axis=2))
    added = np.diff(rate, axis=1, prepend=0)
    return np.take_along_axis(added, places[:, :, np.newaxis], axis=1)


def _last_places(members: BoolArray, places: IntArray) -> IntArray:
    """[orders, C] when the last key of each set comes."""
    sets, keys = np.nonzero(members)
    starts = np.searchsorted(sets, np.arange(len(members)))
    return np.maximum.reduceat(places[:, keys], starts, axis=1)


def _rate(conversions: FloatArray, paths: FloatArray) -> FloatArray:
    return np.divide(conversions, paths, out=np.zeros_like(paths), where=paths > 0)


def _spread(values: FloatArray, at: npt.NDArray[np.intp], keys: int) -> FloatArray:
    """The columns at their places among all keys, and 0 for the others."""
    spread = np.zeros((len(values), keys))
    spread[:, at] = values
    return spread
