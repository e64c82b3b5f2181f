-- One row per state that leads have now which were queued in [$since, $until): how many. Refused is
-- what no address was given for, or a disposable one; open is what waits, is under way or is tried
-- again.
with
queued as (
    select
        case
            when email_hash is null then 'refused'
            when status = 'completed' and is_partial = 1 then 'partial'
            when status = 'failed_permanent' then 'failed'
            when status in ('completed', 'cancelled') then status
            else 'open'
        end as state
    from state.user_identity
    where
        lead_id is not null
        and queued_at >= $since::timestamp
        and queued_at < $until::timestamp
)
select state, count(*) as leads
from queued
group by state
order by state
