-- One row per person of $user_ids and day with a scoring, after $since. The buckets let a scan skip
-- the rows of others; a filter on one more bare column would make the catalog's statistics be read
-- once more. The newest scoring is in newest_score.
with bucket as (
    select bucket_of(unnest($user_ids::uuid[])) as user_bucket
)
select
    user_id,
    as_of,
    score as intent_score,
    level,
    persona,
    magnetism_7d,
    magnetism_30d
from lake.user_score_day
where
    user_bucket in (from bucket)
    and list_contains($user_ids::uuid[], user_id)
    and epoch_us(as_of) > epoch_us($since::timestamp)
