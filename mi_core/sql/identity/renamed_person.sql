-- One row per person whom the state knows by a user_id that is no longer theirs. A user_id is one
-- of its person's distinct ids, so that the alias of it tells who the person is now.
with known as (
    select user_id from state.user_persona
    union
    select user_id from state.user_identity
    union
    select user_id from state.enrichment_call
)

select k.user_id::varchar as old_id, a.user_id::varchar as new_id
from known as k
join lake.identity_alias as a on a.distinct_id_hash = k.user_id::uuid
where a.user_id <> a.distinct_id_hash
