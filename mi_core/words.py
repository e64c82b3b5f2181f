"""Figures and times as people write them."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from math import floor, log10


def number(value: float | None) -> str:
    """`1,234`; a dash where there is none."""
    return "–" if value is None else f"{value:,.0f}"


def amount(value: float | None) -> str:
    """`1,234`, `12.5`, `3`: credit is shared out, so that few conversions need a digit more."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 or round(value, 1) == round(value) else f"{value:,.1f}"


def percent(share: float | None) -> str:
    """`12%` of a share in 0-1; small shares keep a digit, so that few is not shown as none."""
    if share is None:
        return "–"
    return f"{share:.1%}" if 0 < share < 0.01 or 0.99 < share < 1 else f"{share:.0%}"


def between(low: float, high: float, write: Callable[[float | None], str]) -> str:
    """`8% to 15%`; one figure where both are written alike."""
    return " to ".join(dict.fromkeys((write(low), write(high))))


def points(share: float) -> str:
    """`12 points`, `0.4 points`: a difference between two shares, without its sign."""
    written = _points(share)
    return f"{written} point{'' if written == '1' else 's'}"


def points_between(low: float, high: float) -> str:
    """`8 to 15`, the ends of an interval in points; with their signs where these differ."""
    if low < 0 < high:
        return f"−{_points(low)} to +{_points(high)}"
    return " to ".join(_points(end) for end in sorted((low, high), key=abs))


def _points(share: float) -> str:
    size = 100 * abs(share)
    return f"{size:.0f}" if size >= 0.95 or not size else f"{max(size, 0.1):.1f}"


def money(cents: float | None) -> str:
    """`12.50`, `1,234`; the events carry no currency."""
    return price(None if cents is None else cents / 100)


def price(amount: float | None) -> str:
    """As `money`, of an amount in the currency's unit."""
    if amount is None:
        return "–"
    return f"{amount:,.2f}" if abs(amount) < 1000 else f"{amount:,.0f}"


def about(amount: float | None) -> str:
    """As `price`, without the cents of ten or more: for what is an estimate."""
    return number(amount) if amount is not None and abs(amount) >= 10 else price(amount)


def roughly(amount: float | None) -> str:
    """As `about`, to two digits: `2,100` of 2,054."""
    if amount is None or abs(amount) < 10:
        return price(amount)
    return number(round(amount, 1 - floor(log10(abs(amount)))))


def days(value: float | None) -> str:
    """`3.5 days`, or minutes and hours where a day is too coarse."""
    if value is None:
        return "–"
    if value >= 1:
        return f"{value:,.1f} days"
    if value * 24 >= 1:
        return f"{value * 24:.1f} h"
    return f"{value * 24 * 60:.0f} min" if value * 24 * 60 >= 0.5 else "under a minute"


def day(value: date | None) -> str:
    """`3 June 2024`."""
    return "–" if value is None else f"{value.day} {value:%B %Y}"


def moment(value: datetime | None) -> str:
    """`3 June 2024, 14:05 UTC`."""
    return "–" if value is None else f"{day(value)}, {value:%H:%M} UTC"


def last_day(until: datetime) -> date:
    """The last day of a period that ends before `until`."""
    return (until - timedelta(microseconds=1)).date()


def count(value: int, one: str, many: str | None = None) -> str:
    """`1 person`, `1,234 people`."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def change(value: float, before: float) -> str:
    """How `value` compares with `before`: `8% more than`, `as many as`."""
    if value == before:
        return "as many as"
    if not before:
        return "up from none in"
    share = abs(value - before) / before
    return f"{percent(share)} {'more' if value > before else 'fewer'} than"


def against(
    value: float, before: float | None, write: Callable[[float | None], str] = number
) -> str | None:
    """A figure's note: `▲ 12% from 1,000`; None where there is nothing to compare with."""
    if before is None:
        return None
    if value == before:
        return f"as before ({write(before)})"
    if not before:
        return "none before"
    arrow, share = ("▲" if value > before else "▼"), abs(value - before) / before
    return f"{arrow} {percent(share)} from {write(before)}"


def plain(name: str) -> str:
    """A name of a definition in plain letters: `time_on_site_per_min` → `time on site`."""
    return name.removesuffix("_per_min").replace("_", " ")


def stacked(name: str) -> str:
    """As `plain`, one word a line, so that many columns fit beside each other."""
    return plain(name).replace(" ", "\n")


def noun(by: str, number: int = 1) -> str:
    """What things are counted by: `channel`, `channels`."""
    one, many = _NOUNS.get(by, (by, f"{by}s"))
    return one if number == 1 else many


_NOUNS = {"etype": ("kind of touch", "kinds of touch"), "email": ("email", "emails")}


def listed(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
