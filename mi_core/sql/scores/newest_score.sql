-- One row per person of $user_ids whom the newest scoring, as of $as_of, has: as in score_history,
-- which has no scores of that day until there is one of a later day.
select
    intent.user_id,
    intent.as_of,
    intent.score as intent_score,
    intent.level,
    intent.persona,
    week.magnetism_index as magnetism_7d,
    month.magnetism_index as magnetism_30d
from lake.user_intent_score as intent
inner join lake.user_magnetism_index as week
    on week.user_id = intent.user_id and week.as_of = $as_of and week.time_window = '7d'
inner join lake.user_magnetism_index as month
    on month.user_id = intent.user_id and month.as_of = $as_of and month.time_window = '30d'
where intent.as_of = $as_of and list_contains($user_ids::uuid[], intent.user_id)
