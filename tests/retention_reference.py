"""Retention, lifecycle and stickiness as slowly and plainly as they can be said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True)
class Act:
    """An event of a person; `at` is in UTC, without a zone, as in the lake."""

    at: datetime
    is_start: bool = True
    is_return: bool = True


People = Mapping[int, Sequence[Act]]


def first_day(at: datetime, every: str) -> date:
    """The first day of the period in which an instant lies."""
    day = at.date()
    while (every == "week" and day.isoweekday() != 1) or (every == "month" and day.day != 1):
        day -= timedelta(days=1)
    return day


def day_after(period: date, every: str) -> date:
    """The first day of the next period."""
    day = period + timedelta(days=1)
    while first_day(datetime(day.year, day.month, day.day), every) == period:
        day += timedelta(days=1)
    return day


def newest_periods(as_of: datetime, every: str, count: int) -> list[date]:
    """So many periods, up to the one in which the instant before `as_of` lies."""
    periods = [first_day(as_of - timedelta(microseconds=1), every)]
    while len(periods) < count:
        before = periods[0] - timedelta(days=1)
        periods.insert(0, first_day(datetime(before.year, before.month, before.day), every))
    return periods


def is_over(period: date, every: str, as_of: datetime) -> bool:
    end = day_after(period, every)
    return datetime(end.year, end.month, end.day) <= as_of


def cells(
    people: People, *, every: str, periods: int, kind: str, counting: str, as_of: datetime
) -> dict[tuple[date, int], tuple[int, int, bool]]:
    """(cohort, period) → size, people, is_complete."""
    shown = newest_periods(as_of, every, periods + 1)
    found = {}
    for number, cohort in enumerate(shown):
        members = [
            who for who, acts in people.items() if starts_in(acts, cohort, every, kind, as_of)
        ]
        for period, day in enumerate(shown[number:]):
            came = [who for who in members if returns(people[who], day, every, counting, as_of)]
            count = len(members) if period == 0 else len(came)
            found[cohort, period] = (len(members), count, is_over(day, every, as_of))
    return found


def starts_in(acts: Sequence[Act], cohort: date, every: str, kind: str, as_of: datetime) -> bool:
    days = [first_day(act.at, every) for act in acts if act.is_start and act.at < as_of]
    if kind == "first_time":
        return bool(days) and min(days) == cohort
    return cohort in days


def returns(acts: Sequence[Act], day: date, every: str, counting: str, as_of: datetime) -> bool:
    days = [first_day(act.at, every) for act in acts if act.is_return and act.at < as_of]
    return day in days if counting == "on" else any(each >= day for each in days)


def periods_since(as_of: datetime, every: str, days: int) -> list[date]:
    """The periods from the one in which `as_of` − `days` lies."""
    oldest = first_day(as_of - timedelta(days=days), every)
    periods = newest_periods(as_of, every, 1)
    while periods[0] > oldest:
        periods = newest_periods(as_of, every, len(periods) + 1)
    return periods


def lifecycle_rows(
    people: People, *, every: str, days: int, as_of: datetime
) -> dict[date, tuple[int, int, int, int, bool]]:
    """Period → new, returning, resurrecting, dormant, is_complete."""
    rows = {}
    for period in periods_since(as_of, every, days):
        before = period - timedelta(days=1)
        previous = first_day(datetime(before.year, before.month, before.day), every)
        new = returning = resurrecting = dormant = 0
        for acts in people.values():
            active = {first_day(act.at, every) for act in acts if act.at < as_of}
            if period in active and min(active) == period:
                new += 1
            elif period in active and previous in active:
                returning += 1
            elif period in active:
                resurrecting += 1
            elif previous in active:
                dormant += 1
        over = is_over(period, every, as_of)
        rows[period] = (new, returning, resurrecting, dormant, over)
    return rows


def stickiness_rows(people: People, *, every: str, days: int, as_of: datetime) -> dict[int, int]:
    """Number of periods → how many people were active in so many."""
    shown = periods_since(as_of, every, days)
    counts = dict.fromkeys(range(1, len(shown) + 1), 0)
    for acts in people.values():
        active = {first_day(act.at, every) for act in acts if act.at < as_of} & set(shown)
        if active:
            counts[len(active)] += 1
    return counts
