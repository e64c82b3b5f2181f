"""Intervals: bootstrap draws over people.

People are drawn, not cases, since what one person does at several instants hangs together (Efron &
Tibshirani 1993, ch. 13; of clusters: Cameron, Gelbach & Miller 2008). Above `GROUPS` people, groups
of people taken at random are drawn; whatever adds up over people is summed by group once, and a
draw is a product of weights and sums.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import polars as pl

from mi_core.attribution.intervals import draw_weights as draw_weights
from mi_core.attribution.intervals import interval

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

GROUPS = 1000
LEVEL = 0.95
_STEP = 1e-6


@dataclass(frozen=True)
class Figure:
    """A figure with the ends of its interval; NaN where it is undefined."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def person_groups(user_ids: pl.Series, *, seed: int) -> IntArray:
    """The group of each row's person, 0 up to at most `GROUPS` - 1; [rows].

    Groups have the same number of people, give or take one, whatever the order of the rows.
    """
    person = user_ids.rank("dense").to_numpy().astype(np.int64) - 1
    people = int(person.max(initial=-1)) + 1
    order = np.random.default_rng(seed).permutation(people)
    group: IntArray = np.asarray(order % GROUPS, dtype=np.int64)[person]
    return group


def drawn_sums(sums: FloatArray, draws: int, *, seed: int) -> FloatArray:
    """Sums by group, [groups, …], of draws of groups: [draws, …]."""
    return sums_of(draw_weights(len(sums), draws, seed=seed), sums)


def sums_of(weights: FloatArray, sums: FloatArray) -> FloatArray:
    """The same of weights that `draw_weights` gave, [draws, groups]."""
    flat = weights @ sums.reshape(len(sums), -1)
    return flat.reshape(len(weights), *sums.shape[1:])


def figure(value: float, samples: FloatArray, level: float = LEVEL) -> Figure:
    """A figure with the percentile interval of its draws."""
    low, high = interval(samples, level)
    return Figure(float(value), float(low), float(high))


def normal_figure(value: float, samples: FloatArray, level: float = LEVEL) -> Figure:
    """A figure with the normal interval whose standard error is that of its draws.

    For levels so high that few draws lie beyond the ends of a percentile interval.
    """
    reach = NormalDist().inv_cdf((1 + level) / 2) * float(np.std(samples))
    return Figure(float(value), value - reach, value + reach)


def drawn_figure(
    sums: FloatArray, statistic: Callable[[FloatArray], FloatArray], draws: int, *, seed: int
) -> Figure:
    """A statistic of sums over people, with an interval from draws of them.

    The standard error is that of the draws; how many of them an interval takes follows Student's t,
    with as many degrees of freedom as what single people add leaves (Satterthwaite 1946, Biometrics
    Bulletin 2:110–114). So it is wider where few people decide; percentiles would be too narrow.

    Parameters
    ----------
    sums
        [groups, …] what each group of people adds.
    statistic
        Of sums `[draws, …]`, [draws]; the same for any multiple of the sums.
    """
    from scipy.stats import t

    value = statistic(sums.sum(axis=0, keepdims=True))[0]
    drawn = statistic(drawn_sums(sums, draws, seed=seed))
    error = float(np.nanstd(drawn)) * sqrt(len(sums) / max(1, len(sums) - 1))
    squares = _influence(sums, statistic) ** 2
    if not error or not squares.any():
        return Figure(float(value), float(value), float(value))
    kurtosis = len(squares) * np.sum(squares**2) / np.sum(squares) ** 2
    freedom = max(1.0, 2 * len(squares) / max(kurtosis - 1, 1e-9))
    reach = error * float(t.ppf((1 + LEVEL) / 2, freedom))
    return Figure(float(value), float(value - reach), float(value + reach))


def _influence(sums: FloatArray, statistic: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """How much each group moves the statistic, [groups]: by its slope at the shares of all."""
    total = sums.sum(axis=0)
    shares = total / total.sum()
    steps = _STEP * np.eye(shares.size).reshape(shares.size, *shares.shape)
    slopes = (statistic(shares + steps) - statistic(shares - steps)) / (2 * _STEP)
    moved: FloatArray = sums.reshape(len(sums), -1) @ slopes
    return moved
