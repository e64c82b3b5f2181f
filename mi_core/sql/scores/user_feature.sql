-- One row per person and window in written_feature, as the lake keeps them: in the order of people,
-- so that a look at one skips the rows of others.
select
    bucket_of(feature.user_id) as user_bucket,
    feature.*,
    coalesce(former_id.former_ids, []) as former_ids
from written_feature as feature
left join former_id using (user_id)
order by user_bucket, feature.user_id, feature.time_window
