-- One row per UTC day of [$since, $until): what arrived, how many visits have a known origin, which
-- is that one of their events has a channel, and how many events have a name that the taxonomy
-- doesn't know. A day without events has a row of zeros.
with
days as (
    select unnest(generate_series(
        $since::timestamp::date, ($until::timestamp - interval 1 microsecond)::date, interval 1 day
    ))::date as day
),
counted as (
    select
        occurred_at::date as day,
        count(*) as events,
        count(distinct user_id) as people,
        count(distinct session_id) as visits,
        count(distinct session_id) filter (where channel is not null) as visits_with_origin,
        count(*) filter (where event_name not in (select event_name from taxonomy)) as unknown
    from lake.user_event
    where occurred_at >= $since and occurred_at < $until
    group by all
)
select
    days.day,
    coalesce(counted.events, 0) as events,
    coalesce(counted.people, 0) as people,
    coalesce(counted.visits, 0) as visits,
    coalesce(counted.visits_with_origin, 0) as visits_with_origin,
    coalesce(counted.unknown, 0) as unknown,
    coalesce(counted.events - counted.unknown, 0) as known
from days
left join counted using (day)
order by days.day
