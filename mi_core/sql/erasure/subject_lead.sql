-- One row per lead of the person in subject_id, with those that calls were made for before another
-- address was given.
select lead_id
from state.user_identity
where lead_id is not null and user_id in (select id_hash::varchar from subject_id)
union
select lead_id
from state.enrichment_call
where lead_id is not null and user_id in (select id_hash::varchar from subject_id)
