-- One row per touchpoint of a path in path_row. It has an order, but no time.
select
    journey_id,
    make_timestamp(generate_subscripts(path, 1)) as touched_at,
    null::uuid as event_id,
    unnest(path) as key,
    lower(unnest(path)) = $direct_channel as is_direct,
    0::bigint as age_us,
    false as is_before_lead
from path_row
