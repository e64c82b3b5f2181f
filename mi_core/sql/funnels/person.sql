-- One row per person who enters the funnel, by an event with a bit of $entry. They are numbered
-- from 0 in the order of the lake's files, so that events come nearly sorted.
select user_id, (row_number() over (order by user_id) - 1)::integer as person
from (
    select distinct user_id
    from funnel_row
    where mask & $entry::uinteger > 0
)
