-- One row per person whom the newest scoring has: of what it says, the scores that a day keeps.
select
    user_id,
    as_of,
    (answer ->> '$.score')::double as score,
    answer ->> '$.level' as level,
    answer ->> '$.persona' as persona,
    (answer ->> '$.magnetism_index_7d')::double as magnetism_index_7d,
    (answer ->> '$.magnetism_index_30d')::double as magnetism_index_30d
from lake.mv_person
