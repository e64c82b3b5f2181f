-- One row per person and window, 7d and 30d: the magnetism index as of $as_of.
select
    magnetism.*,
    cast($as_of as timestamp) as as_of,
    persona_score.persona,
    cast($config_version as varchar) as config_version,
    $snapshot::bigint as lake_snapshot
from magnetism
inner join persona_score using (user_id)
