-- One row per return of a person in the 30 days up to the newest event: an act in the product a day
-- or more after the one before, or an explicit reactivation.
with horizon as (
    select max(occurred_at) as newest_at
    from lake.user_event
),

act as (
    select
        u.user_id,
        u.occurred_at,
        u.etype is not distinct from 'reactivation' as is_explicit,
        lag(u.occurred_at) over (
            partition by u.user_id
            order by u.occurred_at, u.event_id
        ) as previous_at
    from lake.user_event as u
    join taxonomy as t on t.event_name = u.event_name
    where t.is_engagement or u.etype = 'reactivation'
)

select
    a.user_id,
    a.previous_at as left_at,
    a.occurred_at as returned_at,
    (epoch_us(a.occurred_at) - epoch_us(a.previous_at)) / 86400e6 as days_away,
    a.is_explicit
from act as a
join horizon as h on a.occurred_at > h.newest_at - interval 30 day
where
    a.is_explicit
    or epoch_us(a.occurred_at) - epoch_us(a.previous_at) >= 86400000000
