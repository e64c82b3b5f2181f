-- One row per person whom one of the distinct ids hashed in $hashes belongs to.
select distinct user_id
from lake.identity_alias
where list_contains($hashes::uuid[], distinct_id_hash)
