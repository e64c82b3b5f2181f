-- One row per cohort, the people of the persona $persona (null: all people), in the newest snapshot
-- up to $as_of: how many they are, how many have an index of at most $score, and their average.
with
newest as (
    select max(as_of) as as_of
    from lake.score_run
    where as_of <= $as_of::timestamp
)
select
    count(*) as people,
    count(*) filter (index.magnetism_index <= $score) as at_or_below,
    coalesce(avg(index.magnetism_index), 0) as average
from lake.user_magnetism_index as index
inner join newest using (as_of)
inner join lake.user_intent_score as intent using (user_id, as_of)
where
    index.time_window = $time_window
    and coalesce(intent.persona = $persona, true)
