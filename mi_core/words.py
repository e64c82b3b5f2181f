"""Figures and times as people write them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta


def number(value: float | None) -> str:
    """`1,234`; a dash where there is none."""
    return "–" if value is None else f"{value:,.0f}"


def percent(share: float | None) -> str:
    """`12%` of a share in 0-1; small shares keep a digit, so that few is not shown as none."""
    if share is None:
        return "–"
    return f"{share:.1%}" if 0 < share < 0.01 or 0.99 < share < 1 else f"{share:.0%}"


def money(cents: float | None) -> str:
    """`12.50`, `1,234`; the events carry no currency."""
    if cents is None:
        return "–"
    return f"{cents / 100:,.2f}" if abs(cents) < 100_000 else f"{cents / 100:,.0f}"


def days(value: float | None) -> str:
    """`3.5 days`, or minutes and hours where a day is too coarse."""
    if value is None:
        return "–"
    if value >= 1:
        return f"{value:,.1f} days"
    return f"{value * 24:.1f} h" if value * 24 >= 1 else f"{value * 24 * 60:.0f} min"


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


def plain(name: str) -> str:
    """A name of a definition in plain letters: `time_on_site_per_min` → `time on site`."""
    return name.removesuffix("_per_min").replace("_", " ")


def listed(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
