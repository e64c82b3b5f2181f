-- One row per lake that was ever scored: the run that the stored features come from, which is the
-- newest by as_of, then by snapshot; whether the lake still knows what has changed since, and has
-- these features.
select
    run.as_of,
    run.config_version,
    run.lake_snapshot,
    exists(
        select 1
        from lake.snapshots() as snapshot
        where snapshot.snapshot_id = run.lake_snapshot
    ) as has_history,
    exists(
        select 1
        from lake.user_feature
    ) as has_features
from lake.score_run as run
order by run.as_of desc, run.lake_snapshot desc
limit 1
