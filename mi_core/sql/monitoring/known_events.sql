-- One row per lake, so one: how many events [$since, $until) has, and of how many the taxonomy
-- doesn't know the name.
select
    count(*) as events,
    count(*) filter (event_name not in (select event_name from taxonomy)) as unknown
from lake.user_event
where occurred_at >= $since and occurred_at < $until
