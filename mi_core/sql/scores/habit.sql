-- One row per person with an engagement event or an explicit reactivation before $as_of, in the
-- longest window or the gap before it: on how many days and weeks they were active, and when they
-- came back. A return is an engagement event that follows the previous one by the gap or more, or
-- an explicit reactivation; an event that is both is one return.
with
act as (
    select
        event.user_id,
        event.occurred_at,
        taxonomy.is_engagement,
        coalesce(event.etype = 'reactivation', false) as is_explicit
    from scope_event as event
    inner join taxonomy using (event_name)
    where
        event.occurred_at >= $as_of::timestamp - to_days($oldest_day::integer)
        and event.occurred_at < $as_of::timestamp
        and (taxonomy.is_engagement or event.etype = 'reactivation')
),
followed_act as (
    select
        act.user_id,
        act.occurred_at,
        act.is_engagement,
        act.is_explicit,
        -- Acts that lie before what is read here are at least the gap before the windows, so that
        -- the very first one stands for all of them.
        coalesce(
            lag(act.occurred_at) over (
                partition by act.user_id, act.is_engagement
                order by act.occurred_at, act.is_explicit desc
            ),
            milestone.first_engagement_at
        ) as previous_at
    from act
    left join scope_milestone as milestone using (user_id)
)
select
    user_id,
    -- A bit for each UTC date, and for each of the four 7-day blocks that end at $as_of.
    least(7, bit_count(bit_or(if(
        is_engagement and occurred_at >= $as_of::timestamp - to_days(7),
        1 << date_diff('day', occurred_at, $as_of::timestamp),
        0
    )))) as active_days,
    bit_count(bit_or(if(
        is_engagement and occurred_at >= $as_of::timestamp - to_days(28),
        1 << ((epoch_us($as_of::timestamp) - epoch_us(occurred_at) - 1) // 604800000000),
        0
    ))) as active_weeks,
    list(occurred_at) filter (
        is_explicit
        or epoch_us(occurred_at) - epoch_us(previous_at) >= $gap_hours * 3600000000
    ) as returned_at
from followed_act
group by user_id
