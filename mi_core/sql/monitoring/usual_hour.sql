-- One row per UTC hour of [$since, $until), which are whole hours, that always has events: $least
-- or more in the same hour of each of the 4 weeks before. `usual` is the fewest of these four,
-- `events` how many it has; none is a gap.
with
clock as (
    select unnest(generate_series(
        $since::timestamp, $until::timestamp - interval 1 hour, interval 1 hour
    )) as hour
),
week as (
    select unnest([7, 14, 21, 28]) as days_before
),
counted as (
    select date_trunc('hour', occurred_at) as hour, count(*) as events
    from lake.user_event
    where occurred_at >= $since::timestamp - interval 28 day and occurred_at < $until
    group by all
),
earlier as (
    select clock.hour, coalesce(counted.events, 0) as events
    from clock
    cross join week
    left join counted on counted.hour = clock.hour - to_days(week.days_before)
),
usual as (
    select hour, min(events) as usual
    from earlier
    group by hour
)
select usual.hour, usual.usual, coalesce(counted.events, 0) as events
from usual
left join counted on counted.hour = usual.hour
where usual.usual >= $least
order by usual.hour
