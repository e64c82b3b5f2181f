-- One row per touchpoint or conversion of the people in path_person in changed_event, as of the
-- snapshot $version or before, in the columns of user_event that the views of them name; what paths
-- by channel don't read is blank.
select
    event_id,
    user_id,
    null::utinyint as user_bucket,
    event_name,
    etype,
    occurred_at,
    channel,
    null::varchar as campaign_id,
    null::varchar as creative_id,
    null::varchar as email_id,
    null::varchar as post_id,
    null::varchar as session_id,
    null::bigint as value
from changed_event
semi join path_person using (user_id)
where
    snapshot_id <= $version
    and event_name in (
        select event_name
        from taxonomy
        where is_touch or is_conversion
    )
