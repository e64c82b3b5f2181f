"""Wilson's interval, held against scipy's."""

import pytest
from scipy.stats import binomtest

from mi_core.shares import wilson


@pytest.mark.parametrize("confidence", [0.9, 0.95, 1 - 0.05 / 6])
@pytest.mark.parametrize(("part", "whole"), [(0, 5), (5, 5), (3, 10), (18, 20), (81, 263)])
def test_wilson_is_scipys(part: int, whole: int, confidence: float):
    known = binomtest(part, whole).proportion_ci(confidence, method="wilson")
    assert wilson(part, whole, confidence) == pytest.approx((known.low, known.high), abs=1e-12)


def test_none_and_all_have_a_whole_end_and_nothing_says_nothing():
    assert wilson(0, 7)[0] == 0
    assert wilson(7, 7)[1] == 1
    assert wilson(0, 0) == (0, 1)
