-- One row per key of a path or of $more_keys, in alphabetical order: its number, from 1.
select
    key,
    row_number() over (order by key) as code
from (
    select key
    from path_touch
    union
    select unnest($more_keys)::varchar
)
