"""What a person at a terminal asks of the queue: which leads, and what is left after a run."""

from dataclasses import dataclass
from datetime import datetime

from mi_core.enrichment.queue import STATUSES
from mi_core.errors import UnknownName
from mi_core.state import Row, State, moment

_NEWEST = """
select
    user_id, status, trigger_event as trigger, email_domain as domain, error, next_try_at, ended_at
from user_identity
where lead_id is not null and status = coalesce(:status, status)
order by queued_at desc, user_id
limit :most
"""
_LEFT = """
select
    sum(case when next_try_at <= :now then is_queued else 0 end) as due,
    sum(case when next_try_at > :now then is_queued else 0 end) as later,
    min(case when next_try_at > :now and is_queued = 1 then next_try_at end) as next_at,
    sum(case when status = 'processing' then 1 else 0 end) as held,
    min(case when status = 'processing' then lease_expires_at end) as lease_ends_at,
    sum(case when status = 'waiting' then 1 else 0 end) as waiting
from (
    select
        status, next_try_at, lease_expires_at,
        case when status in ('pending', 'failed') then 1 else 0 end as is_queued
    from user_identity
) as u
"""
# What is under way, alone or in a batch, is no call of unknown cost.
_UNKNOWN = """
select provider, count(*) as calls
from enrichment_call
where cost_micros is null and status <> 'reserved'
group by provider
order by provider
"""


@dataclass(frozen=True, slots=True)
class Left:
    """What a run leaves: leads that are due, those that will be, and those that others hold.

    `to_settle` counts calls of unknown cost by their provider.
    """

    due: int
    later: int
    next_at: datetime | None
    held: int
    lease_ends_at: datetime | None
    waiting: int
    to_settle: dict[str, int]


def newest(state: State, *, status: str | None = None, most: int = 50) -> list[Row]:
    """The leads that were queued last, newest first; of one status, or of all.

    Raises
    ------
    UnknownName
        No lead ever has that status.
    """
    if status is not None and status not in STATUSES:
        raise UnknownName("status of a lead", status, STATUSES)
    with state.reading() as transaction:
        rows = transaction.rows(_NEWEST, status=status, most=most)
    return [row | {name: moment(row[name]) for name in ("next_try_at", "ended_at")} for row in rows]


def left(state: State, *, now: datetime) -> Left:
    """What is in the queue, in the hands of workers, and unsettled."""
    with state.reading() as transaction:
        [row] = transaction.rows(_LEFT, now=now)
        unknown = transaction.rows(_UNKNOWN)
    counts = {name: int(row[name] or 0) for name in ("due", "later", "held", "waiting")}
    return Left(
        **counts,
        next_at=moment(row["next_at"]),
        lease_ends_at=moment(row["lease_ends_at"]),
        to_settle={each["provider"]: int(each["calls"]) for each in unknown},
    )
