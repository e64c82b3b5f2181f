-- One row per event of the people in scope_person that a run as of $as_of reads, as the lake had
-- it at the snapshot $version, with what tells how it was before. The bucket of a person is what
-- lets a scan skip the rows of others.
with
person as (
    select
        user_id,
        bucket_of(user_id) as user_bucket
    from scope_person
),
event as (
    select
        *,
        -- Of the change that made the row what it is.
        snapshot_id
    from lake.user_event at (version => $version)
)
select
    event.event_id,
    event.user_id,
    event.event_name,
    event.etype,
    event.occurred_at,
    event.channel,
    event.duration,
    event.snapshot_id
from event
semi join person using (user_bucket, user_id)
where
    event.occurred_at >= $as_of::timestamp - to_days($oldest_day::integer)
    and event.occurred_at < $as_of::timestamp
