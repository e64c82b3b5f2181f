-- One row per score, intent or magnetism over 30 days, and whole point of it: the people at the
-- scoring $as_of whose score is in [point, point + 1), and those at the scoring $earlier.
with scored as (
    select 'intent' as score, as_of, floor(score)::integer as point
    from lake.user_intent_score
    where as_of in ($as_of, $earlier)
    union all
    select 'magnetism' as score, as_of, floor(magnetism_index)::integer as point
    from lake.user_magnetism_index
    where time_window = '30d' and as_of in ($as_of, $earlier)
)
select
    score,
    point,
    count(*) filter (as_of = $as_of) as people,
    count(*) filter (as_of = $earlier) as people_before
from scored
group by score, point
order by score, point
