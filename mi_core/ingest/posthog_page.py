"""One page of events from PostHog's query API: the question in HogQL, and the answer, checked.

Pages go by (timestamp, uuid): by the time alone, events of the same microsecond would be lost at a
page's edge. The uuid is compared as text, for ClickHouse orders uuids in a way of its own. Times
are asked for as text in UTC, because PostHog turns others into the project's time zone.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from mi_core.errors import PullError

COLUMNS = {
    "event_id": "toString(uuid)",
    "event_name": "event",
    "sent_by": "distinct_id",
    "person": "toString(person_id)",
    "held": "properties",
    "occurred_at": "toString(toTimeZone(timestamp, 'UTC'))",
    "arrived_at": "toString(toTimeZone(created_at, 'UTC'))",
}
"""Column of the answer → what it is in HogQL. None is named as a column of PostHog's table."""

_NAMES = ("uuid", "event", "distinct_id", "person_id", "properties", "timestamp", "created_at")
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?")


class UnreadablePage(Exception):
    """The answer is no whole JSON document, as when the connection was cut."""


@dataclass(frozen=True, order=True)
class Place:
    """Where in the order of events a page begins: after `uuid`, or where that is empty, at `at`."""

    at: datetime
    """In UTC, without a zone."""
    uuid: str = ""


@dataclass(frozen=True)
class Page:
    """Events in order, as JSON documents of the shape of PostHog's exports."""

    documents: list[str]
    end: Place
    """Everything before it has been read."""
    is_full: bool
    """Whether PostHog may have more before the time that was asked for."""


def question(begin: Place, until: datetime, limit: int) -> str:
    """HogQL for at most `limit` events from `begin` on and before `until`."""
    columns = ", ".join(f"{value} as {name}" for name, value in COLUMNS.items())
    after = f" and (timestamp > {_literal(begin.at)} or toString(uuid) > '{begin.uuid}')"
    return (
        f"select {columns} from events"
        f" where timestamp >= {_literal(begin.at)} and timestamp < {_literal(until)}"
        f"{after if begin.uuid else ''}"
        f" order by timestamp, toString(uuid) limit {limit}"
    )


def page(body: bytes, begin: Place, until: datetime, limit: int) -> Page:
    """The page that an answer holds.

    Raises
    ------
    UnreadablePage
        The answer is cut off.
    PullError
        It is whole, and not what was asked for: nothing of it is taken.
    """
    try:
        answer = json.loads(body)
    except ValueError:
        raise UnreadablePage from None
    rows = _rows(answer, limit)
    places = [begin, *map(_place, rows)]
    # The same event twice is no fault: ClickHouse merges repeats when it has time.
    if any(one > next_ for one, next_ in pairwise(places[1:])):
        raise _refused("its events are not in the order of time and uuid")
    if rows and not (_follows(begin, places[1]) and places[-1].at < until):
        raise _refused("it has events of another time than was asked for")
    documents = [json.dumps(_document(row)) for row in rows]
    most = answer.get("limit")
    allowed = min(limit, most) if isinstance(most, int) and most > 0 else limit
    is_full = bool(rows) and (len(rows) >= allowed or answer.get("hasMore") is True)
    return Page(documents, places[-1] if is_full else Place(until), is_full)


def _literal(at: datetime) -> str:
    return f"toDateTime64('{at:%Y-%m-%d %H:%M:%S.%f}', 6, 'UTC')"


def _rows(answer: Any, limit: int) -> list[Sequence[Any]]:
    if not isinstance(answer, Mapping) or not isinstance(answer.get("results"), list):
        raise _refused("it has no results")
    if answer.get("is_cached"):
        raise _refused("it is an older answer, which PostHog had kept")
    if answer.get("error"):
        raise _refused("it says that the query failed")
    columns = answer.get("columns")
    if columns != list(COLUMNS):
        told = ", ".join(map(str, columns))[:200] if isinstance(columns, list) else "not said"
        raise _refused(f"its columns are {told}, not {', '.join(COLUMNS)}")
    rows: list[Sequence[Any]] = answer["results"]
    if len(rows) > limit:
        raise _refused(f"it has {len(rows):,} rows, where {limit:,} were the limit")
    if any(not isinstance(row, list) or len(row) != len(COLUMNS) for row in rows):
        raise _refused(f"a row of it hasn't {len(COLUMNS)} values")
    return rows


def _place(row: Sequence[Any]) -> Place:
    uuid, at = row[0], row[5]
    if not isinstance(uuid, str) or not _UUID.fullmatch(uuid):
        raise _refused("an event of it has no uuid")
    if not isinstance(at, str) or not _TIME.fullmatch(at):
        raise _refused("an event of it has no time like 2024-06-30 12:00:00.000000")
    try:
        return Place(datetime.fromisoformat(at), uuid)
    except ValueError:
        raise _refused("an event of it has a time that isn't one") from None


def _follows(begin: Place, first: Place) -> bool:
    return first > begin if begin.uuid else first.at >= begin.at


def _document(row: Sequence[Any]) -> dict[str, Any]:
    document = dict(zip(_NAMES, row, strict=True))
    for name in ("timestamp", "created_at"):
        if isinstance(document[name], str):
            document[name] = f"{document[name].replace(' ', 'T')}Z"
    return document


def _refused(why: str) -> PullError:
    return PullError(f"PostHog's answer is not what was asked for: {why}. Nothing of it was taken.")
