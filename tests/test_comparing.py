"""How sure a change is: published examples, closed forms, simulations; and what may be said."""

from itertools import product
from math import exp, inf, log, sqrt

import numpy as np
import pytest
from scipy.stats import binomtest

from mi_core.stories.comparing import (
    Change,
    of_costs,
    of_counts,
    of_moves,
    of_shares,
    of_sums,
    said,
    share_range,
)


@pytest.mark.parametrize(
    ("part", "whole", "part_before", "whole_before", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0000),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ],
)
def test_difference_of_shares_as_in_newcombe_1998_table_2(
    part, whole, part_before, whole_before, low, high
):
    change = of_shares(part, whole, part_before, whole_before)
    assert (change.low, change.high) == (
        pytest.approx(low, abs=5e-5),
        pytest.approx(high, abs=5e-5),
    )
    assert change.value - change.before == pytest.approx(part / whole - part_before / whole_before)


@pytest.mark.parametrize(("part", "whole"), [(0, 9), (1, 9), (4, 9), (9, 9), (81, 263)])
def test_range_of_a_share_is_that_of_wilson(part, whole):
    for among in (1, 6):
        expected = binomtest(part, whole).proportion_ci(1 - 0.05 / among, method="wilson")
        assert share_range(part, whole, among=among) == pytest.approx(tuple(expected), abs=1e-12)


@pytest.mark.parametrize(("value", "before"), [(12, 10), (1, 40), (300, 200), (0, 7)])
def test_ratio_of_counts_is_what_the_exact_test_does_not_refuse(value, before):
    change = of_counts(value, before)
    exact = binomtest(value, value + before).proportion_ci(0.95, method="exact")
    assert 1 + change.low == pytest.approx(exact.low / (1 - exact.low))
    assert 1 + change.high == pytest.approx(exact.high / (1 - exact.high))


def test_ratio_of_counts_in_closed_form():
    # Of none in n, the upper end p of the share has (1 - p)^n = 0.025.
    p = 1 - 0.025 ** (1 / 7)
    assert 1 + of_counts(0, 7).high == pytest.approx(p / (1 - p))
    assert of_counts(7, 0).high == inf
    assert 1 + of_counts(7, 0).low == pytest.approx((1 - p) / p)


def test_interval_of_a_sum_holds_the_truth_as_often_as_it_says():
    """Revenue of 200 and 150 buyers on the mean, who pay amounts that differ much."""
    rng = np.random.default_rng(20240630)

    def revenue(buyers):
        paid = rng.lognormal(3, 0.8, rng.poisson(buyers))
        return paid.sum(), (paid**2).sum()

    held = 0
    for _ in range(1_000):
        (value, squares), (before, squares_before) = revenue(200), revenue(150)
        change = of_sums(value, squares, before, squares_before)
        held += 1 + change.low <= 200 / 150 <= 1 + change.high
    assert 930 <= held <= 970


def test_interval_of_a_sum_of_equal_parts_is_that_of_its_count():
    ours = of_sums(50 * 7, 50 * 49, 40 * 7, 40 * 49)
    spread = 1.959964 * sqrt(1 / 50 + 1 / 40)
    assert ours.low == pytest.approx(exp(log(50 / 40) - spread) - 1)


def test_a_sum_over_the_same_people_is_as_sure_as_they_differ():
    """Of acts of people, each of whom acts at a pace of their own, a tenth more on the mean."""
    rng = np.random.default_rng(20240601)
    held = apart = 0
    for _ in range(500):
        pace = rng.lognormal(2, 1.2, 300)
        now, before = (rng.poisson(more * pace * rng.gamma(4, 0.25, 300)) for more in (1.1, 1))
        sums = (now.sum(), (now**2).sum(), before.sum(), (before**2).sum())
        change = of_sums(*sums, products=(now * before).sum())
        held += 1 + change.low <= 1.1 <= 1 + change.high
        apart += of_sums(*sums).high - of_sums(*sums).low > 1.5 * (change.high - change.low)
    assert held >= 465
    assert apart >= 450
    least = 1.959964 * sqrt(1 / 200 + 1 / 100)
    steady = of_sums(200, 400, 100, 100, products=200)
    assert log(1 + steady.high) == pytest.approx(log(2) + least)


def test_share_among_the_same_people_is_as_sure_as_their_moves():
    # Agresti & Min: with half a person in each cell, (c - b)/N and its variance.
    kept, lost, gained, neither = 794, 150, 86, 570
    n = kept + lost + gained + neither + 2
    change = of_moves(
        [(kept, True, True), (lost, False, True), (gained, True, False), (neither, False, False)]
    )
    b, c = lost + 0.5, gained + 0.5
    spread = 1.959964 * sqrt((b + c) - (c - b) ** 2 / n) / n
    assert change.low == pytest.approx((c - b) / n - spread)
    assert change.high == pytest.approx((c - b) / n + spread)
    assert (change.value, change.before) == (880 / 1600, 944 / 1600)


def test_share_among_people_some_of_whom_came_or_left_holds_the_truth_as_often():
    rng = np.random.default_rng(7)
    states = [*product((True, False), repeat=2), (True, None), (False, None), (None, True)]
    chances = [0.10, 0.05, 0.09, 0.36, 0.12, 0.23, 0.05]
    truth = of_moves((10**9 * c, *s) for c, s in zip(chances, states, strict=True))
    held = 0
    for counts in rng.multinomial(300, chances, 1_000).tolist():
        change = of_moves((n, *state) for n, state in zip(counts, states, strict=True))
        held += change.low <= truth.value - truth.before <= change.high
    assert 930 <= held <= 970


def test_cost_of_each_is_as_sure_as_their_number():
    change, buyers = of_costs(3_000, 60, 2_000, 50), of_counts(60, 50)
    assert (change.value, change.before) == (50, 40)
    assert 1 + change.low == pytest.approx(1.5 / (1 + buyers.high))
    assert 1 + change.high == pytest.approx(1.5 / (1 + buyers.low))


def test_of_several_comparisons_each_is_more_careful():
    alone, among = of_shares(54, 70, 48, 80), of_shares(54, 70, 48, 80, among=6)
    assert alone.is_clear
    assert not among.is_clear
    assert of_counts(130, 100, among=6).high > of_counts(130, 100).high


@pytest.mark.parametrize(
    ("change", "written"),
    [
        (of_counts(150, 100), "50% more (16% to 95%)"),
        (of_counts(100, 150), "33% fewer (14% to 49%)"),
        (of_counts(12, 10), "no clear change (−52% to +210%)"),
        (of_counts(10, 10), "no change"),
        (of_counts(90, 20), "4.5 times as many (2.7 to 7.7)"),
        (of_counts(20, 0), "up from none"),
        (of_counts(3, 0), "too few to compare"),
        (of_counts(4, 3), "too few to compare"),
        (of_counts(0, 100), "100% fewer (96% to 100%)"),
        (of_counts(0, 0), "too few to compare"),
        (of_shares(56, 70, 48, 80), "20 points more (5 to 33)"),
        (of_shares(48, 80, 56, 70), "20 points fewer (5 to 33)"),
        (of_shares(9, 10, 8, 10), "no clear change (−24 to +42 points)"),
        (of_shares(0, 10, 0, 0), "too few to compare"),
        (of_moves([(5, True, None)]), "too few to compare"),
        (of_sums(0, 0, 100, 100), "100% fewer (96% to 100%)"),
        (of_sums(0, 0, 100, 100**2), "too few to compare"),
        (of_sums(100, 100, 0, 0), "up from none"),
        (of_sums(0, 0, 0, 0), "too few to compare"),
        (of_costs(100, 0, 100, 5), "too few to compare"),
    ],
)
def test_change_in_words(change, written):
    assert said(change) == written


@pytest.mark.parametrize("value", range(0, 60, 3))
def test_nothing_is_more_or_fewer_where_chance_would_do(value):
    every = [
        of_counts(value, 30),
        of_shares(value, 60, 30, 60),
        of_sums(10 * value, 100 * value, 300, 3_000),
        of_costs(50, value, 50, 30),
        of_moves([(value, True, False), (30, False, True), (60, False, False)]),
        Change(value, 30, -0.1, 0.2),
    ]
    for change in every:
        told = said(change, more="more", fewer="fewer")
        if change.low <= 0 <= change.high:
            assert "more" not in told
            assert "fewer" not in told
            assert "times" not in told
        else:
            assert ("more" in told or "times" in told) == (change.low > 0)
            assert ("fewer" in told) == (change.high < 0)
