-- One row per person in scope_event whose paths may differ from those of the last run, at
-- $last_as_of: a touchpoint or conversion came since its snapshot, or one of the edges of the
-- period of $days days has passed it. Who has lost an event isn't seen here.
select distinct event.user_id
from temp.scope_event as event
inner join taxonomy using (event_name)
where
    (taxonomy.is_touch or taxonomy.is_conversion)
    and (
        event.snapshot_id > $last_snapshot
        or event.occurred_at >= $last_as_of::timestamp
        or (
            event.occurred_at >= $last_as_of::timestamp - to_days($days::integer)
            and event.occurred_at < $as_of::timestamp - to_days($days::integer)
        )
    )
