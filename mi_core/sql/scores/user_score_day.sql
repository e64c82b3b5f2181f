-- One row per person in scored_intent: these scores and those of scored_magnetism as the ones of
-- their day.
select
    bucket_of(intent.user_id) as user_bucket,
    intent.user_id,
    intent.as_of,
    intent.score,
    intent.level,
    intent.persona,
    week.magnetism_index as magnetism_7d,
    month.magnetism_index as magnetism_30d
from scored_intent as intent
inner join scored_magnetism as week on week.user_id = intent.user_id and week.time_window = '7d'
inner join scored_magnetism as month on month.user_id = intent.user_id and month.time_window = '30d'
order by intent.user_id
