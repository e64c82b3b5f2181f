-- One row per scoring whose snapshots may go: over $days days older than the newest, and not the
-- last of its UTC day.
select distinct run.as_of
from lake.score_run as run
where
    run.as_of < (select max(as_of) - to_days($days) from lake.score_run)
    and exists (
        select 1
        from lake.score_run as later
        where later.as_of > run.as_of and later.as_of::date = run.as_of::date
    )
