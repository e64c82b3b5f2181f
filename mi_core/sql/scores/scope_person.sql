-- One row per person whose features may differ from those of the last run at $last_as_of: touched
-- by a publish since its snapshot, or with an event that one of the windows' edges, days before
-- $as_of, has passed.
with
slice as (
    select
        $last_as_of::timestamp - to_days(days) as since,
        $as_of::timestamp - to_days(days) as until
    from (select unnest($edges::integer[]) as days)
)
select user_id
from lake.table_insertions('touched_user', $last_snapshot::bigint + 1, $snapshot::bigint)
union
select event.user_id
from lake.user_event as event
inner join slice on event.occurred_at >= slice.since and event.occurred_at < slice.until
where
    event.occurred_at >= $last_as_of::timestamp - to_days(list_max($edges::integer[]))
    and event.occurred_at < $as_of::timestamp
