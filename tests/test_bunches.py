"""How sure counts and shares of acts are, which come in bunches: closed forms and simulations."""

import numpy as np
import pytest

from mi_core.stories.bunches import Bunches, of_bunched_shares, of_days
from mi_core.stories.comparing import of_shares, of_sums


def test_bunches_of_one_act_are_acts():
    now, before = (
        Bunches.of([(1, 1)] * part + [(0, 1)] * (whole - part)) for part, whole in SHARES
    )
    change, plain = of_bunched_shares(now, before), of_shares(*SHARES[0], *SHARES[1])
    assert change is not None
    assert now.acts == pytest.approx(80, rel=0.02)
    assert change.low == pytest.approx(plain.low, abs=0.002)
    assert change.high == pytest.approx(plain.high, abs=0.002)


SHARES = ((56, 80), (45, 90))


def test_acts_of_which_each_person_does_all_or_none_are_as_sure_as_people():
    now, before = (
        Bunches.of([(9, 9)] * 56 + [(0, 9)] * 24),
        Bunches.of([(9, 9)] * 45 + [(0, 9)] * 45),
    )
    assert now.acts == pytest.approx(80, rel=0.02)
    change, plain = of_bunched_shares(now, before), of_shares(*SHARES[0], *SHARES[1])
    assert change is not None
    assert (change.low, change.high) == pytest.approx((plain.low, plain.high), abs=0.002)


def test_the_interval_of_a_share_of_acts_holds():
    """500 worlds of people with a pace and a habit of their own, in which nothing differs."""
    rng = np.random.default_rng(20240601)

    def acts():
        number = 1 + rng.poisson(rng.lognormal(2, 1, 200))
        return Bunches.of(zip(rng.binomial(number, rng.beta(0.5, 4.5, 200)), number, strict=True))

    changes = [of_bunched_shares(acts(), acts()) for _ in range(500)]
    held = sum(not change.is_clear for change in changes if change)
    assert 465 <= held <= 490


def test_of_none_each_bunch_counts_as_one():
    none = Bunches.of([(0, 50)] * 20)
    assert none.acts == 20
    change = of_bunched_shares(none, none)
    assert change is not None
    assert change.high == pytest.approx(of_shares(0, 20, 0, 20).high)


def test_one_file_says_nothing_of_the_next():
    change = of_bunched_shares(Bunches.of([(50, 1_000)]), Bunches.of([(1, 1_000)] * 9))
    assert change is not None
    assert (change.value, change.before) == (0.05, 0.001)
    assert not change.is_known
    assert of_bunched_shares(Bunches.of([]), Bunches.of([(1, 2)])) is None


def test_a_count_is_as_unsure_as_its_days_differ():
    even, other = of_days([10] * 28, [8] * 28, 28), of_days([10] * 28, [0, 16] * 14, 28)
    assert even.high - even.low < other.high - other.low
    by_itself = of_sums(280, 280, 224, 224)
    assert (even.low, even.high) == (by_itself.low, by_itself.high)
    assert of_days([100] * 28, [10] * 28, 28).low > 7
    assert not of_days([840], [10] * 28, 28).is_clear
    assert not of_days([280], [10], 1).is_clear
