-- One row per scoring of the person $user_id in the $days days up to $as_of, the oldest first.
-- Before they were identified, a person was scored under the hash of another of their ids; of
-- several in one scoring, their own counts, else the highest.
with
alias as (
    select $user_id::uuid as user_id
    union
    select distinct_id_hash as user_id
    from lake.identity_alias
    where user_id = $user_id::uuid
),
intent as (
    select
        user_id,
        as_of,
        score,
        level,
        persona
    from lake.user_intent_score
    semi join alias using (user_id)
    where as_of <= $as_of::timestamp and as_of > $as_of::timestamp - to_days($days)
    qualify row_number() over (
        partition by as_of
        order by user_id = $user_id::uuid desc, score desc, user_id
    ) = 1
),
magnetism as (
    select
        user_id,
        as_of,
        max(magnetism_index) filter (time_window = '7d') as magnetism_7d,
        max(magnetism_index) filter (time_window = '30d') as magnetism_30d
    from lake.user_magnetism_index
    semi join alias using (user_id)
    where as_of <= $as_of::timestamp and as_of > $as_of::timestamp - to_days($days)
    group by user_id, as_of
)
select
    intent.as_of,
    intent.score as intent_score,
    intent.level,
    intent.persona,
    magnetism.magnetism_7d,
    magnetism.magnetism_30d
from intent
left join magnetism using (user_id, as_of)
order by intent.as_of
