-- One row per event of the person $user_id before $as_of, in order of time. The bucket lets a scan
-- skip the rows of others; a filter on the bare time would make the catalog's statistics be read.
select
    occurred_at,
    event_id,
    event_name,
    etype,
    channel,
    campaign_id,
    duration,
    value
from lake.user_event
where
    user_bucket = bucket_of($user_id::uuid)
    and user_id = $user_id::uuid
    and epoch_us(occurred_at) < epoch_us($as_of::timestamp)
order by occurred_at, event_id
