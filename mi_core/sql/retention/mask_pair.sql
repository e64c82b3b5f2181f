-- One row per pair of sets of periods and breakdown: how many people have start events in exactly
-- the one set, and return events in exactly the other. For events that are both, mask.sql is
-- quicker; it also says what a set is.
with
known as (
    select distinct user_id
    from retention_event
    where $with_past and is_start and occurred_at < $since
),
placed as (
    select user_id, is_start, is_return, $first_bit >> date_diff($every, $since, occurred_at) as bit
    from retention_event
    where occurred_at >= $since
),
person as (
    select
        user_id,
        bit_or(bit) filter (where is_start) as started,
        coalesce(bit_or(bit) filter (where is_return), 0) as returned
    from placed
    group by user_id
    having bool_or(is_start)
),
counted as (
    select
        person.started,
        person.returned,
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
    (started >> 64)::ubigint as started_high,
    (started & 18446744073709551615)::ubigint as started_low,
    (returned >> 64)::ubigint as returned_high,
    (returned & 18446744073709551615)::ubigint as returned_low,
    (held >> 64)::ubigint as held_high,
    (held & 18446744073709551615)::ubigint as held_low,
    is_known,
    breakdown,
    people
from counted
