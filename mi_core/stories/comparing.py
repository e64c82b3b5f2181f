"""How sure a change against the period before is: 95 % intervals, and what they allow to be said.

Counts of people are taken as Poisson, sums over people, as of money or of acts, as compound
Poisson, shares of people as binomial; bunches.py has the shares of acts. Days on which many act
together make the truth wider than that; so a change is called clear only if its interval leaves out
"no change", and no sentence says more than its interval.

Whoever picks from several changes the one to tell says `among` how many: chance would make one in
twenty look clear, so that all intervals are made wide enough to hold together (Bonferroni).

Sources: Newcombe (1998), Statistics in Medicine 17:873–890, method 10, for a difference of shares;
Przyborowski and Wilenski (1940), Biometrika 31:313–323, as an interval, for a ratio of counts;
Agresti and Min (2005), Statistics in Medicine 24:729–740, for shares of people who are the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import exp, hypot, inf, log, sqrt
from statistics import NormalDist

from mi_core import words
from mi_core.shares import CONFIDENCE, wilson

TOO_WIDE = 10
"""An interval whose ends differ by more than this factor says no more than that there were few."""

_Cell = tuple[float, bool | None, bool | None]


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

    @property
    def is_known(self) -> bool:
        """Whether the interval says anything at all."""
        return self.low > -1 or self.high < (1 if self.is_share else inf)


def of_counts(value: int, before: int, *, among: int = 1) -> Change:
    """The change of a count of people, periods being of one length."""
    return _of_counts(value, before, among)


def _of_counts(value: float, before: float, among: int = 1) -> Change:
    total = value + before
    if not total:
        return Change(0, 0, -1, inf)
    low, high = _exact_range(value, total, among)
    return Change(value, before, _odds(low) - 1, _odds(high) - 1)


def of_sums(
    value: float, squares: float, before: float, squares_before: float, *, products: float = 0.0
) -> Change:
    """The change of a sum, such as revenue; `squares` are the sums of the squares of its parts.

    To nothing, or from it, it is that of a count of parts of one size that would be as sure.

    Parameters
    ----------
    products
        The sum of what each person adds now, times what they added before: of acts, most of which
        are of people who act in both periods. 0 takes them for other people, which is never surer.
    """
    if min(value, before) < 0 or value == before == 0:
        return Change(value, before, -1, inf)
    if not value or not before:
        parts, parts_before = value and value**2 / squares, before and before**2 / squares_before
        return replace(_of_counts(parts, parts_before), value=value, before=before)
    apart = squares / value**2 + squares_before / before**2
    shared = 2 * products / value / before
    # Parts are whole acts: as sure as if each came by itself, and no surer.
    least = 1 / value + 1 / before if shared else 0.0
    spread = _z(1) * sqrt(max(least, apart - shared))
    ratio = log(value / before)
    return Change(value, before, exp(ratio - spread) - 1, exp(ratio + spread) - 1)


def of_costs(cost: float, count: int, cost_before: float, count_before: int) -> Change:
    """The change of what each of a count cost; the costs themselves are known, not drawn."""
    if not (count and count_before and cost_before):
        return Change(
            cost / count if count else 0, cost_before / count_before if count_before else 0, -1, inf
        )
    counted, ratio = of_counts(count, count_before), cost / cost_before
    return Change(
        cost / count,
        cost_before / count_before,
        ratio / (1 + counted.high) - 1,
        ratio / (1 + counted.low) - 1,
    )


def of_shares(
    part: float, whole: float, part_before: float, whole_before: float, *, among: int = 1
) -> Change:
    """The change of a share, `part` of `whole`; the people of the one aren't those of the other."""
    if not whole or not whole_before:
        nothing = part / whole if whole else 0.0
        was = part_before / whole_before if whole_before else 0.0
        return Change(nothing, was, -1, 1, is_share=True)
    share, was = part / whole, part_before / whole_before
    low, high = share_range(part, whole, among=among)
    low_was, high_was = share_range(part_before, whole_before, among=among)
    return Change(
        share,
        was,
        share - was - hypot(share - low, high_was - was),
        share - was + hypot(high - share, was - low_was),
        is_share=True,
    )


def of_moves(people: Iterable[tuple[int, bool | None, bool | None]], *, among: int = 1) -> Change:
    """The change of the share of a group among people most of whom were there before, too.

    A normal interval over people, each with what they add to the share now and take from the one
    before. As Agresti and Min advise, half a person is added to each way of being there both times.

    Parameters
    ----------
    people
        How many are in the group now, and were then; None where they aren't, or weren't, there.
    """
    counted = list(people)
    value, before = _share(counted, 1), _share(counted, 2)
    if value is None or before is None:
        return Change(value or 0.0, before or 0.0, -1, 1, is_share=True)
    padded = [*counted, *((0.5, now, was) for now in (True, False) for was in (True, False))]
    spread = _z(among) * sqrt(_variance(padded))
    middle = (_share(padded, 1) or 0.0) - (_share(padded, 2) or 0.0)
    return Change(value, before, middle - spread, middle + spread, is_share=True)


def share_range(part: float, whole: float, *, among: int = 1) -> tuple[float, float]:
    """The Wilson interval of a share."""
    return wilson(part, whole, 1 - (1 - CONFIDENCE) / among)


def said(change: Change, *, more: str = "more", fewer: str = "fewer", many: str = "many") -> str:
    """The change in words, with its interval: `12% more (4% to 21%)`; or that it may be chance.

    Of what isn't counted but measured, such as money, `fewer` is `less` and `many` is `much`.
    """
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
        return f"{change.value / change.before:.1f} times as {many} ({_times(change)})"
    low, high = sorted((abs(change.low), abs(change.high)))
    size = words.percent(abs(change.value / change.before - 1))
    return f"{size} {direction} ({words.between(low, high, words.percent)})"


def _no_clear_change(change: Change) -> str:
    if not change.is_known:
        return "too few to compare"
    if change.value == change.before:
        return "no change"
    if change.is_share:
        return f"no clear change ({words.points_between(change.low, change.high)} points)"
    if change.high - change.low > (TOO_WIDE - 1) * (1 + change.low):
        return "too few to compare"
    return f"no clear change ({_signed(change.low)} to {_signed(change.high)})"


def _times(change: Change) -> str:
    return f"{1 + change.low:.1f} to {1 + change.high:.1f}" if change.high < inf else "or more"


def _signed(share: float) -> str:
    return f"{'+' if share > 0 else '−'}{words.percent(abs(share))}"


def _share(people: Sequence[_Cell], side: int) -> float | None:
    """The group's share now (1) or then (2); None of nobody."""
    whole = _whole(people, side)
    return sum(each[0] for each in people if each[side]) / whole if whole else None


def _whole(people: Sequence[_Cell], side: int) -> float:
    return sum(each[0] for each in people if each[side] is not None)


def _variance(people: Sequence[_Cell]) -> float:
    """Of the difference of the two shares."""
    now, then = (_share(people, side) or 0.0 for side in (1, 2))
    whole, whole_then = (_whole(people, side) for side in (1, 2))
    return sum(
        number * (_part(is_now, now, whole) - _part(was, then, whole_then)) ** 2
        for number, is_now, was in people
    )


def _part(is_in: bool | None, share: float, whole: float) -> float:
    """What one person adds to a share, beside its mean."""
    return 0.0 if is_in is None else (is_in - share) / whole


def _z(among: int) -> float:
    return NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / among / 2)


def _exact_range(part: float, whole: float, among: int) -> tuple[float, float]:
    """The Clopper-Pearson interval of a share."""
    from scipy.stats import beta

    tail = (1 - CONFIDENCE) / among / 2
    low = float(beta.ppf(tail, part, whole - part + 1)) if part else 0.0
    return low, float(beta.ppf(1 - tail, part + 1, whole - part)) if part < whole else 1.0


def _odds(share: float) -> float:
    return share / (1 - share) if share < 1 else inf
