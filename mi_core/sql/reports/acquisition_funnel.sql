-- One row per step of the funnel, in order: the people who reached it in [$since, $until).
-- A person reaches the first step with their first matching event, and each further step with the
-- first matching event at or after the moment at which they reached the step before.
-- $steps: structs of position (from 1), step, etypes and events (either list may be empty).
with recursive
steps as (
    select unnest($steps, recursive := true)
),
step_etypes as (
    select position, unnest(etypes)::varchar as etype
    from steps
),
step_events as (
    select position, unnest(events)::varchar as event_name
    from steps
),
in_period as (
    select user_id, etype, event_name, occurred_at
    from lake.user_event
    where occurred_at >= $since and occurred_at < $until
),
matches as (
    select step_etypes.position, in_period.user_id, in_period.occurred_at
    from in_period
    join step_etypes using (etype)
    union all
    select step_events.position, in_period.user_id, in_period.occurred_at
    from in_period
    join step_events using (event_name)
),
reached as (
    select position, user_id, min(occurred_at) as reached_at
    from matches
    where position = 1
    group by position, user_id
    union all
    select matches.position, matches.user_id, min(matches.occurred_at) as reached_at
    from reached
    join matches
        on matches.user_id = reached.user_id
        and matches.position = reached.position + 1
        and matches.occurred_at >= reached.reached_at
    group by matches.position, matches.user_id
),
started as (
    select user_id, reached_at as started_at
    from reached
    where position = 1
),
counted as (
    select
        reached.position,
        count(*) as people,
        median(epoch_us(reached.reached_at) - epoch_us(started.started_at)) / 86400e6 as median_days
    from reached
    join started using (user_id)
    group by reached.position
),
all_steps as (
    select
        steps.position,
        steps.step,
        coalesce(counted.people, 0) as people,
        counted.median_days
    from steps
    left join counted using (position)
)
select
    position,
    step,
    people,
    people / nullif(lag(people) over (order by position), 0) as rate_of_previous,
    people / nullif(first_value(people) over (order by position), 0) as rate_of_first,
    median_days
from all_steps
order by position
