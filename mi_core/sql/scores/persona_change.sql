-- One row per person whose behaviour speaks for another persona, or with another confidence, than
-- behaviour did before. Assignments by a person or a model stay.
select
    score.user_id::varchar as user_id,
    score.persona as slug,
    score.persona_confidence as confidence
from persona_score as score
left join state.user_persona as assigned
    on assigned.user_id::uuid = score.user_id and assigned.superseded_at is null
where
    assigned.user_id is null
    or (
        assigned.source = 'behavior_analysis'
        and (assigned.slug <> score.persona or assigned.confidence <> score.persona_confidence)
    )
order by user_id
