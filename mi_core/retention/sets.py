"""Which events count, and the sets of periods in which people have them.

The relations read a temporary view `retention_event`: user_id, occurred_at, is_start, is_return.
`events_before` makes it over the lake; a benchmark puts something else in its place.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING

from mi_core.definitions import Definitions
from mi_core.errors import UnknownName
from mi_core.relations import quoted
from mi_core.retention.periods import Calendar
from mi_core.warehouse import Warehouse

if TYPE_CHECKING:
    import polars as pl

FLAGS = ("conversion", "engagement", "touch")
"""Names for all events of which the taxonomy says so."""


@contextmanager
def events_before(
    warehouse: Warehouse,
    definitions: Definitions,
    until: datetime,
    start: str | None,
    returning: str | None = None,
) -> Iterator[None]:
    """The view `retention_event` over the lake's events before `until`, while the block runs.

    Raises
    ------
    UnknownName
        `start` or `returning` is no type or name of an event, and none of FLAGS.
    """
    is_start = _condition(warehouse, definitions, start)
    is_return = _condition(warehouse, definitions, returning) if returning else is_start
    wanted = is_start if is_return == is_start else f"({is_start} or {is_return})"
    select = (
        f"select user_id, occurred_at, {is_start} as is_start, {is_return} as is_return"
        f" from lake.user_event where occurred_at < timestamp '{until}' and {wanted}"
    )
    with warehouse.view("retention_event", select):
        yield


def read_sets(
    warehouse: Warehouse,
    calendar: Calendar,
    until: datetime,
    *,
    with_past: bool,
    is_pair: bool = False,
    by: str | None = None,
) -> "pl.DataFrame":
    """The sets of periods of `calendar` in `retention_event`, and how many people have each.

    Parameters
    ----------
    with_past
        Tell who had a start event before.
    is_pair
        Not every row of `retention_event` is both start and return.
    by
        What people are broken down by, if by anything.
    """
    params = calendar.params()
    if by == "persona":
        warehouse.stage("known_persona", "scores/known_persona", as_of=until)
    side = {"as_of": until, **params} if by == "channel" else {}
    warehouse.stage("retention_side", f"retention/by_{by or 'nothing'}", **side)
    name = "retention/mask_pair" if is_pair else "retention/mask"
    return warehouse.relation(name, with_past=with_past, **params)


def _condition(warehouse: Warehouse, definitions: Definitions, event: str | None) -> str:
    """SQL that says whether a row of user_event is such an event."""
    if event is None:
        return "true"
    if event in definitions.etypes:
        return f"etype = {quoted(event)}"
    if event in FLAGS:
        return _flagged(definitions, event)
    if event not in definitions.events:
        _check_stored(warehouse, definitions, event)
    return f"event_name = {quoted(event)}"


def _flagged(definitions: Definitions, flag: str) -> str:
    """As in the taxonomy; where a touch is meant for the first of a session, only that one."""
    names, firsts = [], []
    for name, each in definitions.events.items():
        if flag == "touch" and each.touch and each.session_first_etype:
            firsts.append((name, each.session_first_etype))
        elif getattr(each, flag):
            names.append(name)
    either = [f"event_name in ({', '.join(map(quoted, names))})"] if names else []
    either += [f"event_name = {quoted(n)} and etype = {quoted(etype)}" for n, etype in firsts]
    return f"({' or '.join(either) or 'false'})"


def _check_stored(warehouse: Warehouse, definitions: Definitions, event: str) -> None:
    """Refuse the name of an event that was never sent."""
    rows = warehouse.sql("select distinct event_name from lake.user_event").fetchall()
    stored = {name for (name,) in rows}
    if event not in stored:
        # All the names there are would be no sentence.
        near = get_close_matches(event, {*definitions.events, *stored}, n=3)
        raise UnknownName("event", event, {*definitions.etypes, *FLAGS, *near})
