-- One row per event of the people in scope_person that a score as of $as_of reads, in the columns
-- that it reads. The bucket of a person is what lets a scan skip the rows of others.
with
person as (
    select
        user_id,
        bucket_of(user_id) as user_bucket
    from scope_person
)
select
    event.user_id,
    event.event_name,
    event.etype,
    event.occurred_at,
    event.channel,
    event.duration
from lake.user_event as event
semi join person using (user_bucket, user_id)
where
    event.occurred_at >= $as_of::timestamp - to_days($oldest_day::integer)
    and event.occurred_at < $as_of::timestamp
