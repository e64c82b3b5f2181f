"""At which past instants to look: those with a whole window before and a whole horizon after."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mi_core.errors import BadValue
from mi_core.scoring import naive_utc


@dataclass(frozen=True)
class Asked:
    """What was asked for; see `cases.cases`."""

    horizon_days: int
    every_days: int
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Instants:
    """Which instants the events cover, oldest first.

    `end` is the midnight up to which they go, and `left_out` a sentence on what they don't cover.
    """

    covered: tuple[datetime, ...]
    end: datetime
    left_out: str


def instants(first: datetime, last: datetime, window_days: int, asked: Asked) -> Instants:
    """The instants asked for of which events from `first` to `last` have window and horizon.

    Raises
    ------
    BadValue
        There is none, or a number of days is below 1.
    """
    _check(asked)
    end, window = _midnight(last), timedelta(days=window_days)
    newest = end - timedelta(days=asked.horizon_days)
    oldest = _midnight(first + window - timedelta(microseconds=1)) + timedelta(days=1)
    until = newest if asked.until is None else _midnight(naive_utc(asked.until))
    since = oldest if asked.since is None else naive_utc(asked.since)
    wanted = _back(until, since, timedelta(days=asked.every_days))
    covered = tuple(at for at in wanted if oldest <= at <= newest)
    if not covered:
        raise BadValue(_why_none(first, end, oldest, newest, window_days, asked))
    return Instants(covered, end, _left_out(wanted, oldest, newest))


def _check(asked: Asked) -> None:
    for name, days in (
        ("horizon", asked.horizon_days),
        ("step between instants", asked.every_days),
    ):
        if days < 1:
            raise BadValue(f"The {name} is 1 day or more, not {days}.")


def _back(until: datetime, since: datetime, every: timedelta) -> list[datetime]:
    """`until`, and every so often before it back to `since`, oldest first."""
    steps = (until - since) // every
    return [until - every * number for number in range(steps, -1, -1)]


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _left_out(wanted: list[datetime], oldest: datetime, newest: datetime) -> str:
    early, late = sum(at < oldest for at in wanted), sum(at > newest for at in wanted)
    parts = []
    if early:
        parts.append(f"{early} before {oldest:%Y-%m-%d}, of which the days before aren't all known")
    if late:
        parts.append(f"{late} after {newest:%Y-%m-%d}, whose horizon isn't over")
    return f"Left out of {len(wanted)} instants: {'; '.join(parts)}." if parts else ""


def _why_none(
    first: datetime,
    end: datetime,
    oldest: datetime,
    newest: datetime,
    window_days: int,
    asked: Asked,
) -> str:
    said = (
        f"Events are from {first:%Y-%m-%d} up to {end:%Y-%m-%d}; scores look back {window_days}"
        f" days, and the horizon is {asked.horizon_days} days"
    )
    if oldest > newest:
        return f"{said}: that leaves no instant. Take a shorter horizon, or wait."
    return (
        f"{said}: instants lie from {oldest:%Y-%m-%d} to {newest:%Y-%m-%d}, and none of those"
        " asked for does."
    )
