"""How far distributions are apart: against closed forms, SciPy, and chance itself."""

from math import log, sqrt

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from mi_core.monitoring import drift

NOW, BEFORE = [30, 5, 12, 0, 40], [20, 15, 10, 4, 0]


def test_the_stability_index_is_that_of_the_shares_with_half_a_person_more_in_each_bin():
    # (1.5, 3.5) of 5 against (3.5, 1.5) of 5
    assert drift.stability_index([1, 3], [3, 1]) == pytest.approx(2 * 0.4 * log(7 / 3))


def test_no_shift_is_none_and_the_order_of_sides_says_nothing():
    assert drift.stability_index(NOW, NOW) == 0
    assert drift.stability_index(NOW, BEFORE) == drift.stability_index(BEFORE, NOW) > 0


def test_a_bin_without_anybody_counts_for_nothing():
    assert drift.stability_index([*NOW, 0], [*BEFORE, 0]) == drift.stability_index(NOW, BEFORE)
    assert drift.index_by_chance([3, 0], [4, 0], 0.99) == 0


@pytest.mark.parametrize(("n", "m"), [(200, 200), (3000, 500)])
def test_chance_alone_stays_below_its_limit_as_often_as_it_should(n: int, m: int):
    chance = np.random.default_rng(4)
    shares = [0.4, 0.2, 0.15, 0.1, 0.05, 0.04, 0.03, 0.03]
    draws = [(chance.multinomial(n, shares), chance.multinomial(m, shares)) for _ in range(1500)]
    above = [
        drift.stability_index(now, before) > drift.index_by_chance(now, before, 0.95)
        for now, before in draws
    ]
    # 5 % are meant; the half person in each bin makes it a little less.
    assert 0.02 < np.mean(above) < 0.07


def test_distances_are_those_of_scipy():
    scores = [np.repeat(np.arange(5), counts) for counts in (NOW, BEFORE)]
    shares = [np.array(counts) / sum(counts) for counts in (NOW, BEFORE)]
    assert drift.kolmogorov_smirnov(NOW, BEFORE) == pytest.approx(stats.ks_2samp(*scores).statistic)
    assert drift.jensen_shannon(NOW, BEFORE) == pytest.approx(jensenshannon(*shares, base=2))
    assert drift.jensen_shannon([1, 0], [0, 1]) == 1
    found = stats.chi2_contingency([NOW, BEFORE], correction=False)
    assert drift.chi_square(NOW, BEFORE) == pytest.approx((found.statistic, found.pvalue))


def test_chi_square_leaves_empty_bins_out():
    assert drift.chi_square([*NOW, 0], [*BEFORE, 0]) == drift.chi_square(NOW, BEFORE)
    assert drift.chi_square([5], [7]) == (0, 1)


def test_a_full_score_belongs_to_the_last_bin():
    assert drift.in_bins({0: 1, 9: 2, 10: 4, 99: 8, 100: 16}) == [3, 4, 0, 0, 0, 0, 0, 0, 0, 24]


def test_the_middle_is_the_score_that_half_dont_pass():
    assert drift.middle({5: 1, 7: 1, 90: 1}) == 7
    assert drift.middle({5: 2, 90: 2}) == 5
    assert drift.middle({}) == 0


def test_the_index_of_a_small_shift_is_about_chi_square_over_the_people():
    now, before = [520, 480], [500, 500]
    squares, _ = drift.chi_square(now, before)
    assert drift.stability_index(now, before) == pytest.approx(squares * 2 / 1000, rel=0.01)
    assert sqrt(squares) == pytest.approx(0.8948, rel=1e-3)
