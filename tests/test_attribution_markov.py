"""Removal effects of a Markov chain, solved and drawn, against plainer ways to the same figures."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from attribution_walks import Walk, chain_of, effects_of_all_states, grouped, random_walks
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from mi_core.attribution import markov
from mi_core.attribution.intervals import draw_weights, interval
from mi_core.attribution.markov import CONVERSION, NULL, Chain

Patch = pytest.MonkeyPatch

walks = st.lists(
    st.builds(Walk, st.lists(st.integers(1, 4), min_size=1, max_size=6).map(tuple), st.booleans()),
    min_size=1,
    max_size=12,
)


def sparse_only(patch: Patch) -> None:
    """As if every chain were too large to be solved densely."""
    patch.setattr(markov, "EXACT_STATES", 0)


def dense_only(patch: Patch) -> None:
    patch.setattr(markov, "EXACT_STATES", 10**9)


# ---- solved


@pytest.mark.parametrize("way", [sparse_only, dense_only])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_effects_are_those_of_the_matrix_of_all_states(
    order: int, way: Callable[[Patch], None], monkeypatch: Patch
) -> None:
    way(monkeypatch)
    walked = random_walks(order, people=80, channels=4)
    chain, counts = chain_of(walked, 4, order)
    base, effects = chain.removal_effects(counts.sum(axis=0))
    expected_base, expected = effects_of_all_states(walked, 4, order)
    assert base == pytest.approx(expected_base) == np.mean([walk.converts for walk in walked])
    assert effects == pytest.approx(expected, abs=1e-12)
    assert min(expected) > 0.03


@given(walks, st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_any_walks_have_effects_between_0_and_1(walked: list[Walk], order: int) -> None:
    walked = [*walked, Walk((1, 2), True)]
    chain, counts = chain_of(walked, 4, order)
    base, effects = chain.removal_effects(counts.sum(axis=0))
    expected_base, expected = effects_of_all_states(walked, 4, order)
    assert base == pytest.approx(expected_base)
    assert effects == pytest.approx(expected, abs=1e-12)
    assert np.all((effects >= 0) & (effects <= 1))
    with pytest.MonkeyPatch.context() as patch:
        sparse_only(patch)
        assert chain.removal_effects(counts.sum(axis=0))[1] == pytest.approx(effects, abs=1e-12)


def test_a_key_that_nobody_met_has_no_effect() -> None:
    chain, counts = chain_of([Walk((1, 3), True), Walk((1,), False)], channels=4)
    assert list(chain.removal_effects(counts.sum(axis=0))[1]) == pytest.approx([1, 0, 1, 0])


def test_an_edge_that_nobody_took_changes_nothing() -> None:
    """As in a draw that leaves somebody out: whole states may be without a walk."""
    walked = random_walks(2, people=30, channels=4)
    rare = [Walk((4, 3, 4, 4, 2), True), Walk((4, 4, 3), False)]
    chain, counts = chain_of([*walked, *rare], 4, order=3)
    without = counts[: len(walked)].sum(axis=0)
    assert np.any(without == 0)
    base, effects = chain.removal_effects(without)
    expected_base, expected = effects_of_all_states(walked, 4, order=3)
    assert base == pytest.approx(expected_base)
    assert effects == pytest.approx(expected)


def test_without_conversions_there_is_no_effect_to_speak_of() -> None:
    chain, counts = chain_of([Walk((1, 2), False), Walk((2,), False)], channels=2)
    base, effects = chain.removal_effects(counts.sum(axis=0))
    assert base == 0
    assert np.isnan(effects).all()
    base, effects = chain.removal_effects(0 * counts.sum(axis=0))
    assert np.isnan(base)
    assert np.isnan(effects).all()


def test_without_paths_there_is_nothing() -> None:
    chain, counts = chain_of([], channels=3)
    base, effects = chain.removal_effects(counts.sum(axis=0))
    assert np.isnan(base)
    assert effects.shape == (3,)
    assert np.isnan(effects).all()
    bases, draws = chain.bootstrap(sparse.csr_array((0, 0)), np.zeros((5, 0)))
    assert bases.shape == (5,)
    assert draws.shape == (5, 3)


@pytest.mark.parametrize("times", [7, 1e9, 1 / 3, 1e-6])
def test_multiples_of_counts_have_the_same_effects(times: float) -> None:
    chain, counts = chain_of(random_walks(1, people=50, channels=4), 4, order=2)
    once = chain.removal_effects(counts.sum(axis=0))
    again = chain.removal_effects(times * counts.sum(axis=0))
    assert again[0] == pytest.approx(once[0])
    assert again[1] == pytest.approx(once[1])


def test_draws_are_solved_each_for_itself() -> None:
    chain, counts = chain_of(random_walks(3, people=40, channels=4), 4, order=2)
    rows = np.stack([counts[:20].sum(axis=0), counts[20:].sum(axis=0)])
    bases, effects = chain.removal_effects(rows)
    for row, base, effect in zip(rows, bases, effects, strict=True):
        alone = chain.removal_effects(row)
        assert (base, list(effect)) == (alone[0], pytest.approx(list(alone[1])))


@pytest.mark.parametrize("way", [sparse_only, dense_only])
def test_a_long_way_to_and_fro_is_solved_at_once(
    way: Callable[[Patch], None], monkeypatch: Patch
) -> None:
    """One person's 200,000 steps between two channels, which nearly nobody leaves: it would take
    some ten million of Jacobi's iterations."""
    way(monkeypatch)
    restless = Walk((1, 2) * 100_000, True)
    walked = [restless, *random_walks(5, people=20, channels=3, longest=3)]
    chain, counts = chain_of(walked, 3, order=2)
    began = time.monotonic()
    base, effects = chain.removal_effects(counts.sum(axis=0))
    assert time.monotonic() - began < 5
    expected_base, expected = effects_of_all_states(walked, 3, order=2)
    assert base == pytest.approx(expected_base)
    assert effects == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([3, 2, 1, 0], "whole paths"),
        ([3, 1, 2], "3 counts for 4 edges"),
        ([3, 1, 1, 2], "whole paths"),
        ([0, 1, 1, 0], "whole paths"),
    ],
)
def test_counts_that_no_paths_have_are_refused(counts: list[float], message: str) -> None:
    """The edges of start > 1, 1 > 2, 1 > conversion and 2 > null."""
    chain = Chain.from_edges(np.array([0, 1, 1, 2]), np.array([1, 2, CONVERSION, NULL]), 2)
    assert chain.removal_effects(np.array([3, 1, 2, 1]))[0] == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match=message):
        chain.removal_effects(np.array(counts))


@pytest.mark.parametrize(
    ("source", "target", "keys", "message"),
    [
        ([0, 1], [1, 0], 1, "but not the start"),
        ([0, 1], [1, -3], 1, "but not the start"),
        ([0, 2], [2, CONVERSION], 1, "a key between 1 and 1"),
        ([0, -1], [1, CONVERSION], 1, "A state must be 0"),
        ([0, 0], [1, 1], 1, "distinct"),
        ([0, 1], [1, CONVERSION], 2**15, "has room for 32767"),
    ],
)
def test_edges_that_no_chain_has_are_refused(
    source: list[int], target: list[int], keys: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Chain.from_edges(np.array(source), np.array(target), keys)


def test_draws_of_a_small_chain_are_solved_exactly() -> None:
    chain, counts = chain_of(random_walks(4, people=60, channels=4), 4, order=2)
    assert chain.states <= markov.EXACT_STATES
    weights = draw_weights(20, 10, seed=1)
    by_group = grouped(counts, 20)
    bases, effects = chain.bootstrap(by_group, weights)
    assert np.array_equal(bases, chain.removal_effects(weights @ by_group)[0])
    assert np.array_equal(effects, chain.removal_effects(weights @ by_group)[1])


@pytest.mark.parametrize("order", [1, 3])
def test_the_tangent_is_the_slope_of_the_exact_solution(order: int, monkeypatch: Patch) -> None:
    """Central differences along random directions; the rest that is left is the step's square."""
    chain, counts = chain_of(random_walks(6, people=300, channels=6), 6, order)
    by_group = grouped(counts, 50)
    towards = draw_weights(50, 5, seed=2) - 1
    step = 1e-4
    ahead, behind = (_lost(chain, (1 + sign * step * towards) @ by_group) for sign in (1.0, -1.0))
    sparse_only(monkeypatch)
    point, slope = chain._tangent(np.asarray(by_group.sum(axis=0)), slice(0, 6))
    assert point == pytest.approx(_lost(chain, by_group.sum(axis=0)[np.newaxis])[0], abs=1e-12)
    along = towards @ (by_group @ slope)
    assert np.abs(along).max() > 0.01
    assert along == pytest.approx((ahead - behind) / (2 * step), abs=1e-7)


def _lost(chain: Chain, counts: np.ndarray) -> np.ndarray:
    """P(conversion) that goes with each key."""
    base, effects = chain.removal_effects(counts)
    return np.asarray(base[:, np.newaxis] * effects)


def test_a_linearised_draw_of_twice_as_many_has_the_same_effects() -> None:
    chain, counts = chain_of(random_walks(8, people=500, channels=90), 90)
    by_group, weights = grouped(counts, 100), draw_weights(100, 5, seed=1)
    once, twice = (chain.bootstrap(by_group, n * weights) for n in (1, 2))
    assert once[0] == pytest.approx(twice[0])
    assert once[1] == pytest.approx(twice[1])


def test_linearised_draws_leave_the_exact_ones_by_the_square_of_the_distance() -> None:
    chain, counts = chain_of(random_walks(7, people=2_000, channels=100), 100)
    assert chain.states > markov.EXACT_STATES
    by_group = grouped(counts, 500)
    towards = draw_weights(500, 15, seed=3) - 1
    off = []
    for distance in (0.4, 0.2, 0.1):
        weights = 1 + distance * towards
        exact = chain.removal_effects(weights @ by_group)
        bases, effects = chain.bootstrap(by_group, weights)
        assert bases == pytest.approx(exact[0])
        off.append(np.abs(effects - exact[1]).mean())
    assert off[0] / off[1] == pytest.approx(4, rel=0.15)
    assert off[1] / off[2] == pytest.approx(4, rel=0.15)


def test_linearised_intervals_are_near_those_of_draws_solved_anew(monkeypatch: Patch) -> None:
    """In a chain of 101 states over 2,000 people, an end moves by 1 % of the interval's width on
    the mean and by 7 % at most, and a standard error by 2 % at most."""
    chain, counts = chain_of(random_walks(7, people=2_000, channels=100), 100)
    by_group, weights = grouped(counts, 500), draw_weights(500, 400, seed=4)
    nearly = chain.bootstrap(by_group, weights)[1]
    dense_only(monkeypatch)
    exactly = chain.bootstrap(by_group, weights)[1]
    ends, exact_ends = (np.stack(interval(draws, 0.95)) for draws in (nearly, exactly))
    moved = np.abs(ends - exact_ends) / (exact_ends[1] - exact_ends[0])
    assert moved.mean() < 0.02
    assert moved.max() < 0.1
    assert nearly.std(axis=0) == pytest.approx(exactly.std(axis=0), rel=0.04)
    for pair in zip(nearly.T, exactly.T, strict=True):
        assert np.corrcoef(*pair)[0, 1] > 0.98
