-- One row per touchpoint or conversion of the people in path_person from $since on, as the lake had
-- it at the snapshot $version, in the columns of user_event that the views of them name; of those,
-- what paths by channel don't read is left out.
with
person as (
    select
        user_id,
        bucket_of(user_id) as user_bucket
    from path_person
),
event as (
    select *
    from lake.user_event at (version => $version)
)
select
    event.event_id,
    event.user_id,
    event.user_bucket,
    event.event_name,
    event.etype,
    event.occurred_at,
    event.channel,
    null::varchar as campaign_id,
    null::varchar as creative_id,
    null::varchar as email_id,
    null::varchar as post_id,
    null::varchar as session_id,
    null::bigint as value
from event
semi join person using (user_bucket, user_id)
where
    event.occurred_at >= $since::timestamp
    and event.event_name in (
        select event_name
        from taxonomy
        where is_touch or is_conversion
    )
