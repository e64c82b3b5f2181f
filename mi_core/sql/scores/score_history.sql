-- One row per stored snapshot of the person $user_id in the $days days up to $as_of, the oldest first.
with
magnetism as (
    select
        as_of,
        max(magnetism_index) filter (time_window = '7d') as magnetism_7d,
        max(magnetism_index) filter (time_window = '30d') as magnetism_30d
    from lake.user_magnetism_index
    where
        user_id = $user_id::uuid
        and as_of <= $as_of::timestamp
        and as_of > $as_of::timestamp - to_days($days)
    group by as_of
)
select
    intent.as_of,
    intent.score as intent_score,
    intent.level,
    intent.persona,
    magnetism.magnetism_7d,
    magnetism.magnetism_30d
from lake.user_intent_score as intent
left join magnetism using (as_of)
where
    intent.user_id = $user_id::uuid
    and intent.as_of <= $as_of::timestamp
    and intent.as_of > $as_of::timestamp - to_days($days)
order by intent.as_of
