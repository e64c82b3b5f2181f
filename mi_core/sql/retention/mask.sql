-- One row per set of periods and breakdown: how many people have events in exactly these periods.
-- A set is a number: $first_bit in it is the period from $since, half of that the next one, and so
-- on; it is given as two halves of 64 bits. `held` are the periods in which the breakdown is the
-- person's; `is_known` tells who had an event before $since, if that is asked for.
with
known as (
    select distinct user_id
    from retention_event
    where $with_past and occurred_at < $since
),
person as (
    select
        user_id,
        bit_or($first_bit >> date_diff($every, $since, occurred_at)) as periods
    from retention_event
    where occurred_at >= $since
    group by user_id
),
counted as (
    select
        person.periods,
        known.user_id is not null as is_known,
        coalesce(side.breakdown, '(none)') as breakdown,
        coalesce(side.held, $first_bit::hugeint - 1 + $first_bit) as held,
        count(*) as people
    from person
    left join known using (user_id)
    left join retention_side as side using (user_id)
    group by all
)
select
    (periods >> 64)::ubigint as started_high,
    (periods & 18446744073709551615)::ubigint as started_low,
    started_high as returned_high,
    started_low as returned_low,
    (held >> 64)::ubigint as held_high,
    (held & 18446744073709551615)::ubigint as held_low,
    is_known,
    breakdown,
    people
from counted
