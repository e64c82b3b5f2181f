"""Instants as callers give them."""

from datetime import UTC, datetime, timedelta

from mi_core.errors import BadValue

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far ahead of this machine's clock a caller's may be."""


def moment_of(name: str, written: datetime | str) -> datetime:
    """The instant in UTC; one without a zone is UTC, as text it is ISO 8601.

    Raises
    ------
    BadValue
        `written`, which is called `name`, is no instant.
    """
    try:
        at = datetime.fromisoformat(written) if isinstance(written, str) else written
        return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, AttributeError):
        raise BadValue(f"{name} is an ISO 8601 time such as 2024-06-30, not {written!r}.") from None


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


def not_in_future(name: str, value: datetime) -> datetime:
    """The instant in UTC, which isn't still to come; for what is stored of an instant.

    What is stored as of next year would count as newer than all that is stored until then.

    Raises
    ------
    BadValue
        `value`, which is called `name`, is no time with a zone, or is still to come.
    """
    at = in_utc(name, value)
    if at > datetime.now(UTC) + CLOCKS_DIFFER:
        raise BadValue(
            f"{name} is {at:%Y-%m-%d %H:%M} UTC, which is still to come; it is now or earlier."
        )
    return at
