"""Parts to search and to judge in, with no person and no day of outcomes in both."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

import polars as pl

from mi_core.errors import BadValue
from mi_core.tuning.cases import Cases

if TYPE_CHECKING:
    from mi_core.tuning.objectives import Objective

LEAST_PEOPLE = 20
"""With fewer in a part, neither a search nor a judgement means anything."""


@dataclass(frozen=True)
class Split:
    """Cases to search in, `train`, and to judge in, `test`: other people, later.

    Every horizon of `train` has ended at the first instant of `test`. Cases of people for `train`
    from later, and of people for `test` from earlier, are in neither.
    """

    train: pl.DataFrame
    test: pl.DataFrame
    cases: Cases
    test_from: datetime
    test_share: float
    seed: int

    def __repr__(self) -> str:
        sizes = (
            f"{len(part):,} {name}" for name, part in (("train", self.train), ("test", self.test))
        )
        return f"Split({', '.join(sizes)} from {self.test_from:%Y-%m-%d})"

    def parts(self, objective: "Objective") -> dict[str, pl.DataFrame]:
        """`train` and `test`: the cases that an objective is about, with what is sought as outcome.

        Of churn that is staying active: whoever takes those who leave for people of high intent
        would have thresholds that call them so.

        Raises
        ------
        BadValue
            There are too few of them.
        """
        sought = self.cases.has_sought().alias("outcome")
        return {
            "train": objective.rows(self.train.with_columns(sought)),
            "test": objective.rows(self.test.with_columns(sought)),
        }


def split(cases: Cases, *, test_share: float, seed: int) -> Split:
    """Split cases by person and by time.

    Parameters
    ----------
    test_share
        About this share of the people, and of the instants, is for testing.
    seed
        Other people are for testing with another seed; with the same one they stay the same ones,
        whoever else comes.

    Raises
    ------
    BadValue
        The share isn't between 0 and 1, or a part would have too little.
    """
    if not 0 < test_share < 1:
        raise BadValue(f"The share for testing lies between 0 and 1, not at {test_share}.")
    test_from = _test_from(cases, test_share)
    is_tested = pl.col("user_id").is_in(_drawn(cases.frame, test_share, seed).implode())
    trained_until = test_from - timedelta(days=cases.horizon_days)
    train = cases.frame.filter(~is_tested & (pl.col("as_of") <= trained_until))
    test = cases.frame.filter(is_tested & (pl.col("as_of") >= test_from))
    for name, part in (("searching", train), ("testing", test)):
        _check_people(name, part)
    return Split(train, test, cases, test_from, test_share, seed)


def _test_from(cases: Cases, test_share: float) -> datetime:
    """The first instant for testing: the last ones, as long as one horizon ends before them."""
    horizon = timedelta(days=cases.horizon_days)
    found, wanted = cases.instants, max(1, round(test_share * len(cases.instants)))
    for number in range(wanted, 0, -1):
        if found[0] + horizon <= found[-number]:
            return found[-number]
    raise BadValue(
        f"From {found[0]:%Y-%m-%d} to {found[-1]:%Y-%m-%d} there are {len(found)} instants, and"
        f" testing begins a horizon of {cases.horizon_days} days after searching: take a shorter"
        " horizon, or a longer history."
    )


def _drawn(frame: pl.DataFrame, share: float, seed: int) -> pl.Series:
    """The people for testing: those whose hash with the seed is below the share."""
    limit, key = int(share * 2**64), seed.to_bytes(8, "big", signed=True)
    people = frame["user_id"].unique()
    drawn = [
        int.from_bytes(blake2b(person.encode(), digest_size=8, key=key).digest(), "big") < limit
        for person in people
    ]
    return people.filter(pl.Series(drawn, dtype=pl.Boolean))


def _check_people(name: str, part: pl.DataFrame) -> None:
    people = part["user_id"].n_unique()
    if people < LEAST_PEOPLE:
        raise BadValue(
            f"For {name} there would be {people} people; {LEAST_PEOPLE} are needed. Take another"
            " share, more instants, or wait for more people."
        )
