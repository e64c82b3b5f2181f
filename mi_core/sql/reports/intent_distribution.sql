-- One row per five points of intent and level, of the scoring $as_of: the people in it.
-- A full score of 100 belongs to the last step.
select
    least(floor(score / 5) * 5, 95)::integer as score_from,
    level,
    count(*) as people
from lake.user_intent_score
where as_of = $as_of
group by score_from, level
order by score_from, level
