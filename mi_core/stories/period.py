"""Which days a report is about, and by which scoring."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.errors import BadValue, ReportError
from mi_core.instants import moment_of

if TYPE_CHECKING:
    from mi_core.workspace import Workspace


STALE_HOURS = 48
"""Above this age of the newest event at the period's end, a report says so."""


@dataclass(frozen=True)
class Period:
    """Days up to the instant `until`, exclusive, and as many before them."""

    until: datetime
    days: int

    @property
    def since(self) -> datetime:
        return self.until - timedelta(days=self.days)

    @property
    def previous(self) -> datetime:
        return self.since - timedelta(days=self.days)

    def __str__(self) -> str:
        if self.until.time() != time.min:
            # From the middle of a day to that of another: their names alone would count one more.
            return f"{words.moment(self.since)} to {words.moment(self.until)}"
        return f"{words.day(self.since)} to {words.day(words.last_day(self.until))}"


@dataclass(frozen=True)
class Edition:
    """What a report goes by: the days before a scoring, the definitions, the lake's snapshot.

    Attributes
    ----------
    config_version, definitions
        The definitions that the scores were made with, and those in force, which say what the
        funnel, the channels and the limits are.
    is_compared
        Whether the lake covers nine tenths of the period before.
    hours_behind
        How old the newest event is at the period's end; None where there is none before it.
    """

    period: Period
    config_version: str
    lake_snapshot: int
    is_compared: bool
    definitions: str
    hours_behind: float | None = None

    @property
    def span(self) -> dict[str, datetime]:
        """`since` and `until` as relations take them."""
        return {"since": self.period.since, "until": self.period.until}

    @property
    def before(self) -> dict[str, datetime]:
        """`since` and `until` of the period before."""
        return {"since": self.period.previous, "until": self.period.since}


@contextmanager
def edition(
    workspace: "Workspace", as_of: str | datetime | None = None, days: int = 90
) -> Iterator[Edition]:
    """What a report on the `days` days before a scoring goes by; one snapshot in the block.

    Parameters
    ----------
    as_of
        The instant of a scoring, UTC, as a datetime or ISO 8601; default: the newest scoring.

    Raises
    ------
    ReportError
        Nothing has been scored, or nothing as of that instant; `days` is no number of days.
    """
    if days < 1:
        raise ReportError(f"A report covers 1 day or more, not {days}.")
    with workspace.warehouse.reading() as snapshot:
        until, config_version = _scoring(workspace, as_of)
        period = Period(until, days)
        yield Edition(
            period,
            config_version,
            snapshot,
            is_compared=_is_compared(workspace, period),
            definitions=workspace.definitions.version,
            hours_behind=_hours_behind(workspace, until),
        )


def instant(value: str | datetime | None) -> datetime | None:
    """A notebook's `as_of`, UTC without an offset, as SQL takes it."""
    if value is None:
        return None
    try:
        return moment_of("as_of", value).replace(tzinfo=None)
    except BadValue as error:
        raise ReportError(str(error)) from None


def subtitle(edition: Edition) -> str:
    """The period, and the one it is compared with, in words, and whether the data is stale."""
    days = words.count(edition.period.days, "day")
    compared = f", compared with the {edition.period.days} before" if edition.is_compared else ""
    return f"<strong>{edition.period}</strong> ({days}){compared}.{careful(edition)}"


def careful(edition: Edition) -> str:
    """What ends a subtitle where the newest event is old; else nothing. Begins with a space."""
    hours = edition.hours_behind
    if hours is None or hours <= STALE_HOURS:
        return ""
    is_empty = hours > edition.period.days * 24
    tells = "of the gap, not of people" if is_empty else "of this gap too, not only of people"
    return (
        f" <strong>Careful: the newest event is {words.days(hours / 24)} older than the end of "
        f"this period</strong>, so what follows tells {tells}."
    )


def _hours_behind(workspace: "Workspace", until: datetime) -> float | None:
    row = workspace.warehouse.sql(
        "select max(occurred_at) from lake.user_event where occurred_at < $until", {"until": until}
    ).fetchone()
    return (until - row[0]) / timedelta(hours=1) if row and row[0] else None


def _is_compared(workspace: "Workspace", period: Period) -> bool:
    row = workspace.warehouse.sql("select min(first_event_at) from lake.user_milestone").fetchone()
    first = row[0] if row else None
    return first is not None and first <= period.previous + timedelta(days=period.days) / 10


def _scoring(workspace: "Workspace", as_of: str | datetime | None) -> tuple[datetime, str]:
    """Instant and configuration of the scoring that the report is about."""
    wanted = instant(as_of)
    found = workspace.warehouse.sql(
        "select as_of, arg_max(config_version, (as_of, lake_snapshot))"
        " from lake.user_magnetism_index"
        " semi join lake.score_run using (as_of)"
        " where $wanted is null or as_of <= $wanted group by as_of order by as_of desc limit 1",
        {"wanted": wanted},
    ).fetchone()
    if found and wanted in (None, found[0]):
        return found[0], found[1]
    if wanted is None:
        raise ReportError("Nobody has been scored yet: score the workspace, then make the report.")
    nearest = (
        f"; the newest before that are as of {found[0].isoformat()}" if found else " or before"
    )
    raise ReportError(f"There are no scores as of {wanted.isoformat()}{nearest}.")
