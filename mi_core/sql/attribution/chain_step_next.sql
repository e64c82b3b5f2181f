-- One row per step of the chain over everybody's paths: those that are stored, with the paths of
-- the people in path_person as they are now, step_now, in place of as they were, step_before.
select
    from_keys,
    to_key,
    ends_as,
    sum(times)::bigint as times
from (
    select from_keys, to_key, ends_as, times
    from lake.chain_step
    union all
    select from_keys, to_key, ends_as, times
    from step_now
    union all
    select from_keys, to_key, ends_as, -times
    from step_before
)
group by from_keys, to_key, ends_as
having sum(times) <> 0
