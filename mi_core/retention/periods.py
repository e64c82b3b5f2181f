"""Periods of the calendar, in UTC: days, weeks from Monday, months."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mi_core.errors import BadValue, UnknownName

EVERY = ("day", "week", "month")

MAX_PERIODS = 126
"""After a first one: a set of periods is a number of at most 127 bits."""

_TOO_MANY_DAYS = 4_000
"""More than MAX_PERIODS months."""


@dataclass(frozen=True)
class Calendar:
    """Periods in a row: `starts` are where each starts, and where the last one ends."""

    every: str
    starts: tuple[datetime, ...]

    @classmethod
    def up_to(cls, until: datetime, every: str, periods: int) -> "Calendar":
        """So many periods, the last of which holds what is just before `until`."""
        end = _number_of(_just_before(until), every) + 1
        return cls(every, tuple(_start_of(n, every) for n in range(end - periods, end + 1)))

    @property
    def periods(self) -> int:
        return len(self.starts) - 1

    @property
    def first_bit(self) -> int:
        """The bit of the first period in a set of periods; that of the last one is 1."""
        return 1 << (self.periods - 1)

    def params(self) -> dict[str, object]:
        """What the relations that make sets of periods ask for."""
        return {"every": self.every, "since": self.starts[0], "first_bit": self.first_bit}


def count_periods(every: str, until: datetime, days: int) -> int:
    """How many periods there are from the one in which `until` − `days` lies.

    Raises
    ------
    UnknownName
        There is no such period.
    BadValue
        There are none, or more than MAX_PERIODS.
    """
    check_name("period", every, EVERY)
    if days < 1:
        raise BadValue(f"At least 1 day is looked at, not {days}.")
    oldest = until - timedelta(days=min(days, _TOO_MANY_DAYS))
    periods = _number_of(_just_before(until), every) - _number_of(oldest, every) + 1
    if periods > MAX_PERIODS:
        raise BadValue(
            f"At most {MAX_PERIODS} {every}s are looked at, and {days} days are more:"
            " ask for fewer, or for longer periods."
        )
    return periods


def check_name(what: str, name: str, allowed: tuple[str, ...]) -> None:
    if name not in allowed:
        raise UnknownName(what, name, allowed)


def _just_before(until: datetime) -> datetime:
    return until - timedelta(microseconds=1)


def _number_of(moment: datetime, every: str) -> int:
    """The period in which `moment` lies, as a number; the next one's is one more."""
    if every == "month":
        return 12 * moment.year + moment.month - 1
    # The first day of the calendar, number 1, is a Monday.
    day = moment.toordinal() - 1
    return day // 7 if every == "week" else day


def _start_of(number: int, every: str) -> datetime:
    """The instant at which the period of that number starts."""
    if every == "month":
        return datetime(number // 12, number % 12 + 1, 1)
    return datetime.fromordinal((7 * number if every == "week" else number) + 1)
