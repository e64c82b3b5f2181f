-- One row per event name of [$since, $until) that the taxonomy doesn't know, most frequent first.
select
    event_name,
    count(*) as events,
    count(distinct user_id) as people,
    max(occurred_at) as last_seen_at
from lake.user_event
anti join taxonomy using (event_name)
where occurred_at >= $since and occurred_at < $until
group by event_name
order by events desc, event_name
