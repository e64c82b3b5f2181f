"""Shapley values and bootstrap intervals as modules, against their definitions."""

from itertools import permutations
from math import factorial

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mi_core.attribution import shapley as game
from mi_core.attribution.intervals import draw_weights, interval
from mi_core.attribution.shapley import EXACT_UP_TO, VALUE_FUNCTIONS, shapley
from mi_core.errors import UnknownName

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


# ---- Shapley values


def random_sets(seed: int, sets: int, keys: int) -> tuple[Flags, Floats, Floats]:
    """Members, conversions and nulls; every key is in some set."""
    rng = np.random.default_rng(seed)
    members = rng.random((sets, keys)) < rng.uniform(0.15, 0.5, keys)
    members[np.arange(keys), np.arange(keys)] = True
    members[members.sum(axis=1) == 0, 0] = True
    better = 0.1 + 0.3 * members @ np.linspace(0, 1, keys) / members.sum(axis=1)
    paths = rng.integers(1, 60, sets)
    conversions = rng.binomial(paths, better)
    return members, conversions.astype(float), (paths - conversions).astype(float)


def by_definition(members: Flags, conversions: Floats, nulls: Floats, function: str) -> list[float]:
    """What each key adds to those before it, on average over all orders of coming."""
    keys = members.shape[1]

    def worth(coalition: set[int]) -> float:
        inside = [set(np.flatnonzero(row)) <= coalition for row in members]
        converted, paths = conversions[inside].sum(), (conversions + nulls)[inside].sum()
        if function == "conversions":
            return float(converted)
        return float(converted / paths) if paths else 0.0

    value = {
        coalition: worth(set(coalition))
        for coalition in {frozenset(o[:n]) for o in permutations(range(keys)) for n in range(9)}
    }
    credit = [0.0] * keys
    for order in permutations(range(keys)):
        for place, key in enumerate(order):
            before = frozenset(order[:place])
            credit[key] += (value[before | {key}] - value[before]) / factorial(keys)
    scale = (conversions + nulls).sum() if function == "conversion_rate" else 1
    return [float(each * scale) for each in credit]


@pytest.mark.parametrize("function", VALUE_FUNCTIONS)
@pytest.mark.parametrize("keys", [1, 2, 4, 6])
def test_values_are_those_of_the_definition(keys: int, function: str) -> None:
    sets = random_sets(keys, 12, keys)
    found = shapley(*sets, value_function=function)
    assert list(found.credit) == pytest.approx(by_definition(*sets, function))
    assert found.error is None


@pytest.mark.parametrize("function", VALUE_FUNCTIONS)
def test_draws_are_valued_each_for_itself(function: str) -> None:
    members, conversions, nulls = random_sets(1, 20, 5)
    weights = np.random.default_rng(1).integers(0, 3, (4, 20))
    found = shapley(members, weights * conversions, weights * nulls, value_function=function)
    for row, credited in zip(weights, found.credit, strict=True):
        alone = shapley(members, row * conversions, row * nulls, value_function=function)
        assert list(credited) == pytest.approx(list(alone.credit))


sets_of_paths = st.lists(
    st.tuples(
        st.lists(st.booleans(), min_size=5, max_size=5).filter(any),
        st.integers(0, 30),
        st.integers(0, 30),
    ),
    min_size=1,
    max_size=8,
)


@given(sets_of_paths, st.sampled_from(list(VALUE_FUNCTIONS)))
@settings(max_examples=40, deadline=None)
def test_the_axioms_hold(rows: list[tuple[list[bool], int, int]], function: str) -> None:
    """Efficiency: all is given. Null player: who adds nothing has nothing. Symmetry: those who can
    be exchanged have the same."""
    members = np.array([row for row, _, _ in rows])
    conversions, nulls = (np.array([row[n] for row in rows], dtype=float) for n in (1, 2))
    credit = shapley(members, conversions, nulls, value_function=function).credit
    assert credit.sum() == pytest.approx(conversions.sum())
    assert np.all(credit[~members.any(axis=0)] == 0)

    mirrored = members[:, [1, 0, 2, 3, 4]]
    both = np.concatenate([members, mirrored])
    credit = shapley(both, *np.tile([conversions, nulls], 2), value_function=function).credit
    assert credit[0] == pytest.approx(credit[1])


def test_conversions_of_two_tables_have_the_sum_of_both_values() -> None:
    """Additivity, which is why a bootstrap may draw people's values in place of people."""
    members, one, nulls = random_sets(2, 30, 6)
    other = random_sets(3, 30, 6)[1]
    parts = shapley(members, one, nulls).credit + shapley(members, other, nulls).credit
    assert list(shapley(members, one + other, nulls).credit) == pytest.approx(list(parts))


def test_of_many_keys_those_on_no_path_cost_nothing() -> None:
    members, conversions, nulls = random_sets(4, 20, 6)
    wide = np.zeros((20, 40), dtype=bool)
    wide[:, 10:16] = members
    found = shapley(wide, conversions, nulls, value_function="conversion_rate")
    alone = shapley(members, conversions, nulls, value_function="conversion_rate")
    assert found.error is None
    assert list(found.credit[10:16]) == pytest.approx(list(alone.credit))
    assert np.count_nonzero(found.credit) == np.count_nonzero(alone.credit)


# ---- sampled


@pytest.fixture(scope="module")
def many() -> tuple[Flags, Floats, Floats]:
    return random_sets(5, 120, EXACT_UP_TO + 2)


def exact_rate(sets: tuple[Flags, Floats, Floats]) -> Floats:
    members, conversions, nulls = sets
    paths = conversions + nulls
    rate: Floats = game._exact(members, conversions[np.newaxis], paths[np.newaxis])[0]
    return rate * paths.sum()


def test_sampled_values_are_as_near_as_their_standard_errors_say(
    many: tuple[Flags, Floats, Floats],
) -> None:
    """By one on the root mean square, over 17 keys and 15 seeds; by two in 5 of 100 cases."""
    exact = exact_rate(many)
    off = []
    for seed in range(15):
        found = shapley(*many, value_function="conversion_rate", seed=seed)
        assert found.error is not None
        assert found.credit.sum() == pytest.approx(many[1].sum())
        off.append(np.abs(found.credit - exact) / found.error)
    assert np.max(off) < 5
    assert np.sqrt(np.mean(np.square(off))) == pytest.approx(1, abs=0.15)
    assert np.mean(np.array(off) > 2) < 0.08


def test_four_times_the_orders_halve_the_error(many: tuple[Flags, Floats, Floats]) -> None:
    few, more = (
        shapley(*many, value_function="conversion_rate", samples=samples).error
        for samples in (500, 2_000)
    )
    assert (more / few).mean() == pytest.approx(0.5, abs=0.05)


def test_the_same_seed_samples_the_same_orders(many: tuple[Flags, Floats, Floats]) -> None:
    one, again, other = (
        shapley(*many, value_function="conversion_rate", samples=50, seed=seed).credit
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_draws_share_their_orders(many: tuple[Flags, Floats, Floats]) -> None:
    """So that what differs between draws is people, not orders."""
    members, *counts = many
    alone = shapley(*many, value_function="conversion_rate", samples=50)
    draws = [np.tile(each, (3, 1)) for each in counts]
    found = shapley(members, *draws, value_function="conversion_rate", samples=50)
    for credited, error in zip(found.credit, found.error, strict=True):
        assert list(credited) == pytest.approx(list(alone.credit))
        assert list(error) == pytest.approx(list(alone.error))


def test_an_order_and_its_reverse_together_are_exact_for_pairs() -> None:
    """Only together are the keys a and b worth something; whichever comes last has it all."""
    keys = EXACT_UP_TO + 3
    members = np.vstack([np.eye(keys, dtype=bool), np.eye(keys, dtype=bool)[:1]])
    members[-1, 1] = True
    conversions = np.zeros(keys + 1)
    conversions[-1] = 10
    found = shapley(members, conversions, 0 * conversions, value_function="conversion_rate")
    assert list(found.credit) == pytest.approx([5, 5, *[0] * (keys - 2)])
    assert found.error.max() == pytest.approx(0, abs=1e-12)


def test_what_no_game_can_be_made_of_is_refused() -> None:
    members, one = np.ones((1, 2), dtype=bool), np.ones(1)
    with pytest.raises(UnknownName, match="did you mean 'conversions'"):
        shapley(members, one, one, value_function="conversion")
    with pytest.raises(ValueError, match="without keys"):
        shapley(~members, one, one)
    for samples in (0, 2, 5):
        with pytest.raises(ValueError, match="in pairs"):
            shapley(
                np.eye(16, dtype=bool),
                *np.ones((2, 16)),
                value_function="conversion_rate",
                samples=samples,
            )


# ---- intervals


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95, 0.999])
@pytest.mark.parametrize("draws", [1, 2, 3, 40, 1_000])
def test_ends_are_quantiles(draws: int, level: float) -> None:
    samples = np.random.default_rng(draws).normal(size=(draws, 3))
    tail = (1 - level) / 2
    for end, share in zip(interval(samples, level), (tail, 1 - tail), strict=True):
        assert list(end) == pytest.approx(list(np.quantile(samples, share, axis=0)))


def test_undefined_draws_are_left_out() -> None:
    rng = np.random.default_rng(1)
    samples = rng.normal(size=(200, 4))
    for column, share in enumerate((0, 0.3, 0.5, 0.51)):
        samples[rng.permutation(200)[: int(share * 200)], column] = np.nan
    low, high = interval(samples, 0.9)
    expected = np.nanquantile(samples, [0.05, 0.95], axis=0)
    expected[:, 3] = np.nan
    assert np.stack([low, high]) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([1, 2, 3, np.inf, np.inf], (1.5, np.inf)),
        ([1, 2, 3, 4, np.inf], (1.5, np.inf)),
        ([-np.inf, 2, 3, 4, 5], (-np.inf, 4.5)),
        ([-np.inf, -np.inf, 3, np.inf, np.inf], (-np.inf, np.inf)),
        ([np.inf] * 5, (np.inf, np.inf)),
        ([np.nan, 2, 3, np.inf, np.nan], (2.25, np.inf)),
        ([np.nan] * 5, (np.nan, np.nan)),
        ([7], (7, 7)),
        ([], (np.nan, np.nan)),
    ],
    ids=str,
)
def test_an_end_may_be_infinite(samples: list[float], expected: tuple[float, float]) -> None:
    low, high = interval(np.array(samples, dtype=float)[:, np.newaxis], 0.75)
    assert (low[0], high[0]) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("level", [0, 1, -0.5, 95, float("nan")])
def test_a_level_that_is_none_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="lies between 0 and 1"):
        interval(np.zeros((3, 1)), level)


# ---- draws


def test_a_draw_has_as_many_groups_as_there_are() -> None:
    weights = draw_weights(40, 3_000, seed=1)
    assert weights.shape == (3_000, 40)
    assert np.all(weights.sum(axis=1) == 40)
    assert np.all(weights == weights.astype(int))
    # As of 40 dice with 40 faces: mean 1, variance 1 − 1/40, each pair's covariance −1/40.
    assert weights.mean(axis=0) == pytest.approx(np.ones(40), abs=0.1)
    covariance = np.cov(weights.T)
    assert np.diag(covariance).mean() == pytest.approx(1 - 1 / 40, rel=0.02)
    assert covariance[~np.eye(40, dtype=bool)].mean() == pytest.approx(-1 / 40, rel=0.02)


def test_the_same_seed_draws_the_same_groups() -> None:
    assert np.array_equal(draw_weights(9, 20, seed=4), draw_weights(9, 20, seed=4))
    assert not np.array_equal(draw_weights(9, 20, seed=4), draw_weights(9, 20, seed=5))
    assert np.array_equal(draw_weights(9, 20, seed=4)[:5], draw_weights(9, 5, seed=4))
    assert draw_weights(0, 20, seed=4).shape == (20, 0)
    assert np.all(draw_weights(1, 20, seed=4) == 1)


def test_groups_vary_as_people_drawn_one_at_a_time() -> None:
    """1,200 people one by one, or in 300 groups of four put together at random, on the mean of 40
    ways to do so: means agree to 1 %, standard errors to 4 %."""
    rng = np.random.default_rng(6)
    converts = rng.random(1_200) < 0.3
    credit = rng.dirichlet([2, 1, 0.5], 1_200) * converts[:, np.newaxis]
    value = credit * rng.lognormal(4, 0.8, (1_200, 1))
    alone = _figures(credit, value, draw_weights(1_200, 4_000, seed=0))
    together = np.zeros((2, alone.shape[1]))
    for turn in range(40):
        order = rng.permutation(1_200).reshape(300, 4)
        weights = draw_weights(300, 300, seed=turn)
        figures = _figures(credit[order].sum(axis=1), value[order].sum(axis=1), weights)
        together += np.stack([figures.mean(axis=0), figures.var(axis=0)]) / 40
    assert together[0] == pytest.approx(alone.mean(axis=0), rel=0.01)
    assert np.sqrt(together[1]) == pytest.approx(alone.std(axis=0), rel=0.04)


def _figures(credit: Floats, value: Floats, weights: Floats) -> Floats:
    """Of each draw: each key's conversions, share of them, value, and value for a conversion."""
    conversions, worth = weights @ credit, weights @ value
    share = conversions / conversions.sum(axis=1, keepdims=True)
    return np.hstack([conversions, share, worth, worth / conversions])
