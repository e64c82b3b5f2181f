-- One row per person who enters the funnel, by an event with a bit of $entry, numbered from 0.
select user_id, (row_number() over () - 1)::integer as person
from (
    select distinct user_id
    from funnel_row
    where mask & $entry::uinteger > 0
)
