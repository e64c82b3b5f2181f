-- One row per first and last key of a path with conversions: how many conversions. A path of one
-- touchpoint begins and ends with it.
select
    first_key.key as first_key,
    last_key.key as last_key,
    sum(journey.conversions)::bigint as conversions
from journey
inner join path_step as first_step
    on first_step.journey_id = journey.journey_id and first_step.position = 1
inner join path_step as last_step
    on last_step.journey_id = journey.journey_id and last_step.position = last_step.touches
inner join path_key as first_key on first_key.code = first_step.code
inner join path_key as last_key on last_key.code = last_step.code
where journey.conversions > 0
group by first_key.key, last_key.key
order by conversions desc, first_key.key, last_key.key
