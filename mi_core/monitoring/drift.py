"""How far two distributions are apart, and how far chance alone drives them.

Pure functions of counts: of `now` and `before`, lists of people by bin, in one order.
"""

from collections.abc import Sequence
from math import fsum, log, log2, sqrt

Counts = Sequence[int]

HALF = 0.5
"""Added to each bin, so that an empty one doesn't make the index infinite (Jeffreys' prior)."""


def stability_index(now: Counts, before: Counts) -> float:
    """The population stability index, Σ (p − q) · ln(p / q); 0 where nothing has shifted.

    Jeffreys (1946), Proceedings of the Royal Society A 186:453–461, as the sum of both
    Kullback–Leibler divergences. Below 0.1 a population is called stable, from 0.25 on shifted:
    Siddiqi (2006), Credit Risk Scorecards, Wiley. Bins that are empty in both count for nothing.
    """
    pairs = _filled(now, before)
    sizes = [sum(side) + HALF * len(pairs) for side in zip(*pairs, strict=True)] or [1.0, 1.0]
    shares = (((n + HALF) / sizes[0], (m + HALF) / sizes[1]) for n, m in pairs)
    return fsum((p - q) * log(p / q) for p, q in shares)


def index_by_chance(now: Counts, before: Counts, sure: float) -> float:
    """The stability index that stays below this with probability `sure` where nothing has shifted.

    It is about (1/n + 1/m) · χ² with one degree of freedom less than there are bins: Yurdakul and
    Naranjo (2020), Journal of Risk Model Validation 14(4):89–100. Most people are in both
    scorings, which makes it smaller than that: the limit errs on the quiet side.
    """
    from scipy.special import chdtri

    pairs = _filled(now, before)
    if len(pairs) < 2:
        return 0.0
    n, m = (sum(side) for side in zip(*pairs, strict=True))
    return float(chdtri(len(pairs) - 1, 1 - sure) * (1 / n + 1 / m))


def kolmogorov_smirnov(now: Counts, before: Counts) -> float:
    """The greatest distance of the two cumulated shares, 0–1; bins are in the order of the score.

    Smirnov (1948), Annals of Mathematical Statistics 19:279–281.
    """
    n, m = sum(now), sum(before)
    up = most = 0.0
    for a, b in zip(now, before, strict=True):
        up += a / n - b / m
        most = max(most, abs(up))
    return most


def jensen_shannon(now: Counts, before: Counts) -> float:
    """The Jensen–Shannon distance to base 2, 0–1: 1 where no bin has people of both.

    Endres and Schindelin (2003), IEEE Transactions on Information Theory 49:1858–1860.
    """
    n, m = sum(now), sum(before)
    shares = [(a / n, b / m) for a, b in zip(now, before, strict=True)]
    each = (_entropy_share(p, (p + q) / 2) + _entropy_share(q, (p + q) / 2) for p, q in shares)
    return sqrt(max(0.0, sum(each) / 2))


def chi_square(now: Counts, before: Counts) -> tuple[float, float]:
    """Pearson's χ² that both have the same shares, and the probability of as much by chance.

    Pearson (1900), Philosophical Magazine 50:157–175; of a table with two rows.
    """
    from scipy.special import chdtrc

    pairs = _filled(now, before)
    n, m = sum(now), sum(before)
    found = sum((a * m - b * n) ** 2 / (a + b) for a, b in pairs) / (n * m)
    return found, float(chdtrc(len(pairs) - 1, found)) if len(pairs) > 1 else 1.0


def in_bins(points: dict[int, int], width: int = 10) -> list[int]:
    """People by `width` points of a score of 0–100, from people by whole point.

    A full score of 100 belongs to the last bin.
    """
    bins = [0] * (100 // width)
    for point, people in points.items():
        bins[min(max(point, 0) // width, len(bins) - 1)] += people
    return bins


def middle(points: dict[int, int]) -> int:
    """The score that half of the people don't pass, to the whole point below."""
    half, seen = sum(points.values()) / 2, 0
    for point in sorted(points):
        seen += points[point]
        if seen >= half:
            return point
    return 0


def _filled(now: Counts, before: Counts) -> list[tuple[int, int]]:
    """The bins with anybody in them."""
    return [(a, b) for a, b in zip(now, before, strict=True) if a or b]


def _entropy_share(p: float, mean: float) -> float:
    return p * log2(p / mean) if p else 0.0
