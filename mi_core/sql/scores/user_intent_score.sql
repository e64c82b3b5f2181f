-- One row per person: the intent score as of $as_of, with the persona that behaviour alone speaks
-- for.
select
    intent.* exclude (time_window),
    cast($as_of as timestamp) as as_of,
    persona_score.persona,
    persona_score.persona_confidence,
    cast($config_version as varchar) as config_version,
    $snapshot::bigint as lake_snapshot
from intent
inner join persona_score using (user_id)
where intent.time_window = $intent_window
