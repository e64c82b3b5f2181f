"""How sure a change against the period before is: 95 % intervals, and what they allow to be said.

Counts of people or acts are taken as Poisson, sums of money as compound Poisson, shares as
binomial. Days on which many act together make the truth wider than that; so a change is called
clear only if its interval leaves out "no change", and no sentence says more than its interval.

Sources: Newcombe (1998), Statistics in Medicine 17:873–890, method 10, for a difference of shares;
Przyborowski and Wilenski (1940), Biometrika 31:313–323, as an interval, for a ratio of counts.
"""

from dataclasses import dataclass
from math import exp, hypot, inf, log, sqrt

from mi_core import words

CONFIDENCE = 0.95
_Z = 1.959963984540054


@dataclass(frozen=True)
class Change:
    """A figure, that of the period before, and the ends of an interval of the change.

    Of shares, `low` and `high` are a difference; otherwise a ratio less 1, so that 0.1 is 10 %
    more. Both are in either case 0 where nothing has changed.
    """

    value: float
    before: float
    low: float
    high: float
    is_share: bool = False

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out that nothing has changed."""
        return self.low > 0 or self.high < 0

    @property
    def is_up(self) -> bool:
        return self.value > self.before


def of_counts(value: int, before: int) -> Change:
    """The change of a count of people or acts, periods being of one length."""
    total = value + before
    if not total:
        return Change(0, 0, -1, inf)
    low, high = _of_binomial(value, total, "exact")
    return Change(value, before, _odds(low) - 1, _odds(high) - 1)


def of_sums(value: float, squares: float, before: float, squares_before: float) -> Change:
    """The change of a sum, such as revenue; `squares` are the sums of the squares of its parts."""
    if value <= 0 or before <= 0:
        return Change(value, before, -1, inf)
    spread = _Z * sqrt(squares / value**2 + squares_before / before**2)
    ratio = log(value / before)
    return Change(value, before, exp(ratio - spread) - 1, exp(ratio + spread) - 1)


def of_shares(part: int, whole: int, part_before: int, whole_before: int) -> Change:
    """The change of a share, `part` of `whole`."""
    if not whole or not whole_before:
        nothing = part / whole if whole else 0.0
        was = part_before / whole_before if whole_before else 0.0
        return Change(nothing, was, -1, 1, is_share=True)
    share, was = part / whole, part_before / whole_before
    (low, high), (low_was, high_was) = (
        share_range(part, whole),
        share_range(part_before, whole_before),
    )
    return Change(
        share,
        was,
        share - was - hypot(share - low, high_was - was),
        share - was + hypot(high - share, was - low_was),
        is_share=True,
    )


def share_range(part: int, whole: int) -> tuple[float, float]:
    """The Wilson interval of a share."""
    return _of_binomial(part, whole, "wilson") if whole else (0.0, 1.0)


def said(change: Change, *, more: str = "more", fewer: str = "fewer") -> str:
    """The change in words, with its interval: `12% more (4% to 21%)`; or that it may be chance."""
    if not change.is_clear:
        return _no_clear_change(change)
    direction = more if change.low > 0 else fewer
    if change.is_share:
        size = words.points(change.value - change.before)
        ends = words.points_between(change.low, change.high)
        return f"{size} {direction} ({ends})"
    if not change.before:
        return "up from none"
    if change.is_up and change.value >= 2 * change.before:
        return f"{change.value / change.before:.1f} times as many ({_times(change)})"
    low, high = sorted((abs(change.low), abs(change.high)))
    size = words.percent(abs(change.value / change.before - 1))
    return f"{size} {direction} ({words.between(low, high, words.percent)})"


def _no_clear_change(change: Change) -> str:
    if change.value == change.before:
        return "no change"
    if change.is_share:
        return f"no clear change ({words.points_between(change.low, change.high)} points)"
    if change.high == inf:
        return "too few to compare"
    return f"no clear change ({_signed(change.low)} to {_signed(change.high)})"


def _times(change: Change) -> str:
    return f"{1 + change.low:.1f} to {1 + change.high:.1f}" if change.high < inf else "or more"


def _signed(share: float) -> str:
    return f"{'+' if share > 0 else '−'}{words.percent(abs(share))}"


def _of_binomial(part: int, whole: int, method: str) -> tuple[float, float]:
    from scipy.stats import binomtest

    found = binomtest(part, whole).proportion_ci(CONFIDENCE, method=method)
    return float(found.low), float(found.high)


def _odds(share: float) -> float:
    return share / (1 - share) if share < 1 else inf
