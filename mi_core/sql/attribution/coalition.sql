-- One row per group of people and set of keys that is all that a path has: the paths' conversions,
-- nulls and value. The set is written as one digit per key, in the order of path_key: 0110…
with path as (
    select
        journey_id,
        bitstring_agg(code::integer, 1, $keys::integer) as coalition
    from path_step
    group by journey_id
)
select
    journey.person_group,
    path.coalition::varchar as coalition,
    sum(journey.conversions)::bigint as conversions,
    sum(journey.nulls)::bigint as nulls,
    steady_sum(journey.value) as value
from path
inner join journey using (journey_id)
group by journey.person_group, path.coalition
