-- One row per person with a touchpoint, or two: the channel of their first one ever before $as_of,
-- held in periods whose first start event is no earlier, and (none), held in those before.
with
first_touch as (
    select
        user_id,
        min(occurred_at) as touched_at,
        coalesce(arg_min_null(channel, (occurred_at, event_id)), '(none)') as channel
    from touchpoint
    where occurred_at < $as_of
    group by user_id
),
person as (
    select
        touch.user_id,
        touch.channel,
        bit_or(if(
            event.occurred_at < touch.touched_at,
            $first_bit >> date_diff($every, $since, event.occurred_at),
            0
        )) as untouched
    from first_touch as touch
    inner join retention_event as event using (user_id)
    where event.is_start and event.occurred_at >= $since
    group by touch.user_id, touch.channel
)
select user_id, '(none)' as breakdown, untouched as held
from person
where untouched <> 0
union all
select user_id, channel, xor(untouched, $first_bit::hugeint - 1 + $first_bit)
from person
