-- One row per group of people and whether a path has touchpoints: conversions, nulls and value.
with touched as (
    select distinct journey_id
    from path_step
)
select
    journey.person_group,
    touched.journey_id is not null as has_touch,
    sum(journey.conversions)::bigint as conversions,
    sum(journey.nulls)::bigint as nulls,
    steady_sum(journey.value) as value
from journey
left join touched using (journey_id)
group by all
