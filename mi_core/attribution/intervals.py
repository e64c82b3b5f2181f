"""Bootstrap draws over groups of persons, and percentile intervals of what they give.

Persons are drawn, not events or paths, since what one person does hangs together. They are put into
groups beforehand: whatever adds up over persons is kept as a sum per group, and a draw is a product
of weights and sums. Groups are drawn with replacement, as persons would be (Efron & Tibshirani
1993, "An Introduction to the Bootstrap", ch. 13; of clusters: Cameron, Gelbach & Miller 2008). With
hundreds of groups, rates and shares vary as in a bootstrap over persons. So do totals if the groups
are of one size; if their sizes vary, totals vary with them, as if the number of persons, too, had
come about by chance.
"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_LEAST_DEFINED = 0.5


def draw_weights(groups: int, draws: int, *, seed: int) -> FloatArray:
    """How often each group is in each draw: `[draws, groups]`, every row adding up to `groups`."""
    if groups == 0:
        return np.zeros((draws, 0))
    shares = np.full(groups, 1 / groups)
    return np.random.default_rng(seed).multinomial(groups, shares, draws).astype(np.float64)


def interval(samples: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """The percentile interval of draws along axis 0: its lower and its upper end.

    A draw in which a quantity is undefined (NaN) is left out for that quantity; where over half of
    the draws are, there is no interval: NaN. Infinite draws count, and an end may be infinite.

    Parameters
    ----------
    level
        Share of the draws inside, such as 0.95.
    """
    if not 0 < level < 1:
        raise ValueError(f"A level of confidence lies between 0 and 1, not at {level}")
    ordered = np.sort(samples, axis=0)  # NaN last
    defined = np.count_nonzero(~np.isnan(samples), axis=0)
    tail = (1 - level) / 2
    return _quantile(ordered, defined, tail), _quantile(ordered, defined, 1 - tail)


def _quantile(ordered: FloatArray, defined: npt.NDArray[np.intp], share: float) -> FloatArray:
    """Linear between order statistics, as `numpy.quantile` has it, of the first `defined` rows."""
    if not len(ordered):
        return np.full(ordered.shape[1:], np.nan)
    last = np.maximum(defined - 1, 0)
    below = np.floor(share * last).astype(np.intp)
    low, high = _rows(ordered, below), _rows(ordered, np.minimum(below + 1, last))
    beyond = share * last - below
    is_low = (low == high) | (beyond == 0) | np.isneginf(low)
    with np.errstate(invalid="ignore"):  # ∞ − ∞, which isn't taken
        between = np.where(is_low, low, low + (high - low) * beyond)
    return np.where(defined >= _LEAST_DEFINED * len(ordered), between, np.nan)


def _rows(ordered: FloatArray, at: npt.NDArray[np.intp]) -> FloatArray:
    found: FloatArray = np.take_along_axis(ordered, at[np.newaxis], axis=0)[0]
    return found
