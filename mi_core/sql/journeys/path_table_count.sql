-- One row per row of path_row: its counts as numbers.
select
    journey_id,
    conversions::double::bigint as conversions,
    coalesce(nulls::double, 0)::bigint as nulls,
    coalesce(value::double, 0) as value
from path_row
order by journey_id
