-- One row per person in scored_person, which has rows of mv_person: their scores of a day.
select
    bucket_of(user_id) as user_bucket,
    user_id,
    as_of,
    score,
    level,
    persona,
    magnetism_index_7d as magnetism_7d,
    magnetism_index_30d as magnetism_30d
from scored_person
order by user_id
