-- One row per person whom one of the distinct ids hashed in $hashes, or $written as a hash, is of.
select distinct user_id
from lake.identity_alias
where list_contains($hashes::uuid [] || [try_cast($written as uuid)], distinct_id_hash)
