-- One row: how many leads a worker could take at $at, and since when the first of them is due.
with
due as (
    select
        case
            when status = 'processing' then lease_expires_at
            else coalesce(next_try_at, queued_at)
        end as due_at
    from state.user_identity
    where lead_id is not null and status in ('pending', 'failed', 'processing')
)
select
    count(*) as leads,
    min(due_at) as oldest_at
from due
where due_at <= $at::timestamp
