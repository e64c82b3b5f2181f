"""How often the guard on social links is wrong, asked with people who don't exist.

A search for an invented name finds profiles of somebody. At a domain where nobody of that name
works, every link that the guard keeps is a false match, so their share needs no labelled people.
Where the domain is of a very large firm, somebody of that name may work there after all; the share
is then too high, never too low.
"""

import random
from dataclasses import dataclass
from itertools import product
from math import sqrt
from statistics import NormalDist

from mi_core.errors import BadValue


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its interval; without trials the share is None, and anything is possible."""

    share: float | None
    low: float
    high: float


def decoy_names(n: int, seed: int) -> list[str]:
    """`n` different invented names, of parts so common that a search finds somebody."""
    names = [f"{first} {last}" for first, last in product(FIRST_NAMES, LAST_NAMES)]
    if not 0 <= n <= len(names):
        raise BadValue(f"There are 0 to {len(names)} decoys, not {n}.")
    return random.Random(seed).sample(names, n)


def false_match_rate(trials: int, matched: int, level: float = 0.95) -> Rate:
    """Which share of `trials` decoys kept a link, with the Wilson interval.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
    the American Statistical Association 22 (1927), 209-212. It holds for few trials and for no
    match at all, which is what a good guard gives.
    """
    if not 0 <= matched <= trials:
        raise BadValue(f"Of {trials} trials, {matched} can't have matched.")
    if not 0 < level < 1:
        raise BadValue(f"A level lies between 0 and 1, not at {level}.")
    if not trials:
        return Rate(None, 0.0, 1.0)
    share, z = matched / trials, NormalDist().inv_cdf((1 + level) / 2)
    scale = 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / scale
    reach = z * sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2) / scale
    low = 0.0 if matched == 0 else middle - reach
    high = 1.0 if matched == trials else middle + reach
    return Rate(share, low, high)


def _names(words: str) -> tuple[str, ...]:
    return tuple(words.split())


FIRST_NAMES = _names("""
    Aisha Alexander Amelia Ana Andrea Andrew Anna Anthony Barbara Benjamin Carlos Carmen Charles
    Charlotte Christopher Claire Daniel David Elena Elizabeth Emily Emma Fatima Felix George Hannah
    Henry Ibrahim Isabel Jack Jacob James Jennifer Jessica John Jonas Jorge Joseph Julia Karen Kevin
    Laura Linda Lucas Luis Marco Maria Mark Martin Mary Matthew Michael Mohamed Nicole Olivia Oscar
    Patricia Paul Peter Philip Priya Rachel Rahul Richard Robert Samuel Sandra Sarah Sofia Stefan
    Stephen Susan Thomas Victoria William
""")

LAST_NAMES = _names("""
    Adams Ahmed Allen Anderson Baker Bauer Becker Bernard Brown Campbell Carter Chen Clark Cohen
    Collins Costa Davies Davis Dubois Edwards Evans Ferrari Fischer Garcia Gomez Gonzalez Green Hall
    Hansen Harris Hernandez Hill Hoffmann Hughes Jackson Jansen Jensen Johnson Jones Kelly Khan
    Kowalski Kumar Larsen Lewis Lopez Martinez Meyer Miller Mitchell Moore Moreau Morris Murphy
    Nguyen Novak Patel Pereira Petrov Richter Roberts Rodriguez Romano Rossi Russo Sanchez Schmidt
    Schneider Sharma Silva Singh Smith Taylor Thompson Walker Weber Williams Wilson Wright Young
""")
