"""Instants as callers give them."""

from datetime import UTC, datetime

from mi_core.errors import BadValue


def in_utc(name: str, value: datetime) -> datetime:
    """The instant in UTC.

    Raises
    ------
    BadValue
        `value`, which is called `name`, is no time with a zone.
    """
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise BadValue(
            f"{name} is {value!r}; it is a time with a zone,"
            " such as datetime(2024, 6, 30, tzinfo=UTC)."
        )
    return value.astimezone(UTC)
