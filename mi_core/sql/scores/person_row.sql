-- One row per window of the person $user_id, if the newest scoring has them: what their scores are
-- computed from, and that scoring's cohorts, which say when it was. The bucket lets a scan skip the
-- rows of others; a filter on a second bare column would make the catalog's statistics be read once
-- more.
with cohort as (
    select list(each) as cohorts
    from lake.magnetism_cohort as each
)
select
    feature.*,
    cohort.cohorts
from lake.user_feature as feature
cross join cohort
where
    feature.user_bucket = bucket_of($user_id::uuid)
    and list_contains([$user_id::uuid], feature.user_id)
