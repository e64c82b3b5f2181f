-- One row per UTC day in [$since, $until) on which leads were queued: how many.
select
    queued_at::date as day,
    count(*) as leads
from state.user_identity
where lead_id is not null and queued_at >= $since::timestamp and queued_at < $until::timestamp
group by day
order by day
