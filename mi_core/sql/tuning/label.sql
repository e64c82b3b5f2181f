-- One row per person whose persona a person or a model had said before $as_of, and which was in
-- force then.
select
    user_id::uuid as user_id,
    slug as label,
    source as label_source
from state.user_persona
where
    source in ('manual', 'ai_enrichment')
    and assigned_at < $as_of::timestamp
    and (superseded_at is null or superseded_at >= $as_of::timestamp)
