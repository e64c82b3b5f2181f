-- One row per step in chain_step, with what it is of, as the lake keeps it.
select
    cast($as_of as timestamp) as as_of,
    cast($config_version as varchar) as config_version,
    cast($days as integer) as days,
    cast($snapshot as bigint) as lake_snapshot,
    from_keys,
    to_key,
    ends_as,
    times
from chain_step
