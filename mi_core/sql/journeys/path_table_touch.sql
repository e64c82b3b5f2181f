-- One row per touchpoint of a path in path_row. It has an order, but no time.
with placed as (
    select
        journey_id,
        generate_subscripts(path, 1) as place,
        trim(unnest(path)) as key
    from path_row
)
select
    journey_id,
    make_timestamp(place) as touched_at,
    null::uuid as event_id,
    key,
    lower(key) = $direct_channel as is_direct,
    0::bigint as age_us,
    false as is_before_lead
from placed
