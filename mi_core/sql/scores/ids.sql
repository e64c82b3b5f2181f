-- One row per id, as a hash, of the people whom one of the distinct ids hashed in $hashes is of, or
-- $written as a hash.
with
named as (
    select user_id
    from lake.identity_alias
    where
        list_contains($hashes::uuid [], distinct_id_hash)
        or distinct_id_hash = try_cast($written as uuid)
)
select
    alias.user_id,
    alias.distinct_id_hash
from lake.identity_alias as alias
semi join named using (user_id)
