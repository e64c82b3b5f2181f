-- One row per event of the people in scope_person that a score as of $as_of reads.
select event.*
from lake.user_event as event
semi join scope_person using (user_id)
where
    event.occurred_at >= $as_of::timestamp - to_days($oldest_day::integer)
    and event.occurred_at < $as_of::timestamp
