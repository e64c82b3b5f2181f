-- One row per person $user_id whom the newest scoring has: all that it says of them. The bucket
-- lets a scan skip the rows of others; a filter on a second bare column would make the catalog's
-- statistics be read once more.
select
    user_id,
    as_of,
    config_version,
    lake_snapshot,
    answer
from lake.mv_person
where user_bucket = bucket_of($user_id::uuid) and list_contains([$user_id::uuid], user_id)
