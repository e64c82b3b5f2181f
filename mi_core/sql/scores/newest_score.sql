-- One row per person of $user_ids whom the newest scoring, as of $as_of, has: as in score_history,
-- which has no scores of that day until there is one of a later day.
with magnetism as (
    select
        user_id,
        max(magnetism_index) filter (time_window = '7d') as magnetism_7d,
        max(magnetism_index) filter (time_window = '30d') as magnetism_30d
    from lake.user_magnetism_index
    where as_of = $as_of::timestamp and list_contains($user_ids::uuid[], user_id)
    group by user_id
)
select
    user_id,
    intent.as_of,
    intent.score as intent_score,
    intent.level,
    intent.persona,
    magnetism.magnetism_7d,
    magnetism.magnetism_30d
from lake.user_intent_score as intent
inner join magnetism using (user_id)
where intent.as_of = $as_of::timestamp and list_contains($user_ids::uuid[], user_id)
