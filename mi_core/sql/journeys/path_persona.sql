-- One row per person with a persona in force at $as_of, if paths are counted by it; none otherwise.
select user_id::uuid as user_id, slug
from state.user_persona
where
    $by = 'persona'
    and assigned_at <= $as_of
    and (superseded_at is null or superseded_at > $as_of)
