-- One row, if the person $user_id has been assigned a persona by the time $as_of: the one in force.
select assigned.slug, assigned.confidence, assigned.source, assigned.assigned_at
from state.user_persona as assigned
where
    assigned.user_id = $user_id
    and assigned.assigned_at <= $as_of::timestamp
    and (assigned.superseded_at is null or assigned.superseded_at > $as_of::timestamp)
