"""From staged events into the lake: all of a delivery in one transaction, or nothing of it.

`staged` is a table or view of rows past the privacy door (`sql/staging/door.sql`, plus file_no and
source). Whoever stages has done so with no lock; here the write lock is held.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mi_core.definitions import Definitions
from mi_core.ingest import identity
from mi_core.ingest.classify import Progress, silent, type_events, write_milestones
from mi_core.warehouse import Warehouse

_SESSION = timedelta(days=1)  # PostHog ends a session after 24 hours at the latest
_ALWAYS = (datetime(1, 1, 1), datetime(9999, 1, 1))


@dataclass(frozen=True)
class Published:
    """What became of the staged rows that passed the door."""

    accepted: int
    duplicates: int
    moved_ids: int


def publish(
    warehouse: Warehouse,
    definitions: Definitions,
    batch_id: str,
    *,
    repeats_within: timedelta | None = None,
    progress: Progress = silent,
) -> Published:
    """Write what is new in `staged` to the lake. Runs inside `warehouse.publish`.

    What the lake has from another source is no new event, but the delivery of it is kept.

    Parameters
    ----------
    repeats_within
        How far from the staged events, in their own time, to look for repeats of them in the lake;
        None looks at all of it.
    """
    months, since, until = _period(warehouse)
    if since is None or until is None:
        return Published(0, 0, 0)
    moved = identity.resolve(warehouse)
    looked = _ALWAYS if repeats_within is None else (since - repeats_within, until + repeats_within)
    duplicates = warehouse.stage("repeat", "staging/repeat", since=looked[0], until=looked[1])
    if duplicates:
        _keep_deliveries(warehouse, *looked)
    session = {"since": since - _SESSION, "until": until + _SESSION}
    warehouse.stage("session_first", "staging/session_first", **session)
    demoted = _demote(warehouse, session)
    accepted = 0
    for number, month in enumerate(months):
        progress("Writing to the lake", number, len(months))
        accepted += _write_month(warehouse, definitions, batch_id, month)
    if moved or demoted:
        _review(warehouse, batch_id)
    return Published(accepted, duplicates, moved)


def _period(warehouse: Warehouse) -> tuple[list[datetime], datetime | None, datetime | None]:
    rows = warehouse.sql(
        "select date_trunc('month', occurred_at)::timestamp, min(occurred_at), max(occurred_at)"
        " from staged where reason is null group by 1 order by 1"
    ).fetchall()
    if not rows:
        return [], None, None
    return [row[0] for row in rows], min(row[1] for row in rows), max(row[2] for row in rows)


def _keep_deliveries(warehouse: Warehouse, since: datetime, until: datetime) -> None:
    """Remember which sources delivered an event that another one had brought."""
    further = warehouse.stage(
        "further_delivery", "staging/further_delivery", since=since, until=until
    )
    if further:
        warehouse.sql("insert into lake.event_delivery by name from further_delivery")


def _demote(warehouse: Warehouse, session: dict[str, datetime]) -> int:
    demoted = warehouse.stage("demoted", "staging/demoted", **session)
    if demoted:
        warehouse.sql(
            "update lake.user_event as u set etype = d.etype, channel = d.channel"
            " from demoted as d where u.event_id = d.event_id"
        )
    return demoted


def _write_month(
    warehouse: Warehouse, definitions: Definitions, batch_id: str, month: datetime
) -> int:
    accepted = warehouse.stage("accepted_event", "staging/accepted_event", month=month)
    warehouse.sql(
        "insert into lake.analytics_events by name select * from accepted_event"
        " order by user_id, occurred_at, event_id"
    )
    type_events(warehouse, definitions)
    warehouse.sql("insert into lake.user_event by name from scope_event")
    write_milestones(warehouse)
    warehouse.sql(
        "insert into lake.touched_user select $batch, user_id from milestone_next",
        {"batch": batch_id},
    )
    return accepted


def _review(warehouse: Warehouse, batch_id: str) -> None:
    """Read all events of those again from whom the delivery may have taken a milestone."""
    warehouse.stage("reviewed_person", "staging/reviewed_person")
    warehouse.stage("scope_event", "staging/person_event")
    warehouse.sql(
        "delete from lake.user_milestone where user_id in (select user_id from reviewed_person)"
    )
    warehouse.sql(
        "insert into lake.touched_user select $batch, user_id from reviewed_person",
        {"batch": batch_id},
    )
    write_milestones(warehouse)
