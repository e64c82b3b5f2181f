"""How sure a change of acts is, which come in bunches: by person, by day, by file.

Somebody who acts a hundred times adds no hundred independent acts. So it is the bunches that are
taken as drawn: a count of acts is their sum, a share of acts a ratio of two sums over them (Kish
1965, Survey Sampling, ch. 6 and 8: the size of a sample that would be as sure).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from mi_core.stories.comparing import Change, of_shares, of_sums

FEWEST = 2
"""Bunches as large as the mean, so to speak; with fewer nothing can be said."""


@dataclass(frozen=True)
class Bunches:
    """A share of acts, `part` of `whole`, with sums over the bunches that they come in.

    `squares` are those of the whole, `part_squares` those of the part, `products` part × whole.
    """

    part: float
    whole: float
    squares: float
    part_squares: float
    products: float

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, float]]) -> "Bunches":
        """Of each bunch's part and whole."""
        known = list(pairs)
        return cls(
            part=sum(part for part, _ in known),
            whole=sum(whole for _, whole in known),
            squares=sum(whole**2 for _, whole in known),
            part_squares=sum(part**2 for part, _ in known),
            products=sum(part * whole for part, whole in known),
        )

    @classmethod
    def of_row(cls, row: Mapping[str, Any], part: str, whole: str, *, when: str = "") -> "Bunches":
        """Of a row with `<name>, <name>_squares` for both, and `<part>_products`.

        `when` is what columns of a period end in: `_before`.
        """
        return cls(
            part=row[part + when],
            whole=row[whole + when],
            squares=row[f"{whole}_squares{when}"],
            part_squares=row[f"{part}_squares{when}"],
            products=row[f"{part}_products{when}"],
        )

    @property
    def number(self) -> float:
        """How many bunches of one size would be as sure."""
        return self.whole**2 / self.squares if self.squares else 0.0

    @property
    def acts(self) -> float:
        """How many independent acts would be as sure: never more than there are.

        Of none and of all, where nothing says how the part is bunched, each bunch counts as one.
        """
        share, number = self.part / self.whole, self.number
        if not 0 < share < 1 or number <= 1:
            return number
        residual = self.part_squares - 2 * share * self.products + share**2 * self.squares
        variance = residual / self.whole**2 * number / (number - 1)
        return min(self.whole, share * (1 - share) / variance) if variance > 0 else self.whole


def of_bunched_shares(now: Bunches, before: Bunches) -> Change | None:
    """The change of a share of acts; None where there were none in one of the periods."""
    if not now.whole or not before.whole:
        return None
    share, was = now.part / now.whole, before.part / before.whole
    if min(now.number, before.number) < FEWEST:
        return Change(share, was, -1, 1, is_share=True)
    acts, acts_before = now.acts, before.acts
    found = of_shares(share * acts, acts, was * acts_before, acts_before)
    return replace(found, value=share, before=was)


def of_days(by_day: Iterable[int], before: Iterable[int], days: int) -> Change:
    """The change of a count of acts that come in bunches by day, in two periods of `days`.

    Days that aren't given had none. As unsure as the days differ, and never surer than if each act
    came by itself.
    """
    now, then = list(by_day), list(before)
    if days < 2:
        return Change(sum(now), sum(then), -1, inf)
    return of_sums(sum(now), _spread(now, days), sum(then), _spread(then, days))


def _spread(by_day: list[int], days: int) -> float:
    """The variance of the sum of the days."""
    total = sum(by_day)
    between = (sum(each**2 for each in by_day) - total**2 / days) * days / (days - 1)
    return max(total, between)
