-- One row per event of the person $user_id before $as_of, in order of time. The bucket lets a scan
-- skip the rows of others; for each further filter on a bare column the catalog's statistics would
-- be read once more.
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
    and list_contains([$user_id::uuid], user_id)
    and epoch_us(occurred_at) < epoch_us($as_of::timestamp)
order by occurred_at, event_id
