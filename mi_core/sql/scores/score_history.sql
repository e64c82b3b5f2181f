-- One row per person of $user_ids and day with a scoring, after $since, up to $until. The bucket
-- lets a scan skip the rows of others. The newest scoring is in mv_person.
with
person as (
    select unnest($user_ids::uuid[]) as user_id
),
known as (
    select
        user_id,
        bucket_of(user_id) as user_bucket
    from person
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
semi join known using (user_bucket, user_id)
where as_of > $since::timestamp and as_of <= $until::timestamp
