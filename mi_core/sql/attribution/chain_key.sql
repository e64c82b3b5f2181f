-- One row per key of a step in chain_step, in alphabetical order: its number, from 1.
select
    to_key as key,
    row_number() over (order by to_key)::bigint as code
from chain_step
where to_key is not null
group by to_key
