-- One row per id, as a hash, of the person $user_id.
select distinct_id_hash
from lake.identity_alias
where user_id = $user_id::uuid
