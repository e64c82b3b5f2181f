-- One row per window of the person $user_id, if the newest scoring has them: what their scores are
-- computed from, and that scoring with its cohorts. The bucket lets a scan skip the rows of others;
-- a filter on a second bare column would make the catalog's statistics be read once more.
with
newest as (
    select as_of, config_version, lake_snapshot
    from lake.score_run
    order by as_of desc, lake_snapshot desc
    limit 1
),
cohort as (
    select list(each) as cohorts
    from lake.magnetism_cohort as each
)
select
    feature.*,
    newest.*,
    cohort.*
from lake.user_feature as feature
cross join newest
cross join cohort
where
    feature.user_bucket = bucket_of($user_id::uuid)
    and list_contains([$user_id::uuid], feature.user_id)
