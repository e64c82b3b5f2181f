-- One row per group of people and step of the Markov chain of order $order: how many paths took it.
-- A state is as in path_step; -1 is a conversion, -2 a path that ends without one.
with
state as (
    select
        journey_id,
        position = touches as is_last,
        state_before as from_state,
        -- The oldest key goes, the newest comes.
        (state_before & (1::bigint << 15 * ($order - 1)) - 1) << 15 | code as to_state
    from path_step
),
step as (
    select
        journey.person_group,
        state.from_state,
        state.to_state,
        state.is_last,
        sum(journey.conversions)::bigint as conversions,
        sum(journey.nulls)::bigint as nulls
    from state
    inner join journey using (journey_id)
    group by all
)
select person_group, from_state, to_state, sum(conversions + nulls)::bigint as times
from step
group by person_group, from_state, to_state
union all
select person_group, to_state, -1, sum(conversions)::bigint
from step
where is_last and conversions > 0
group by person_group, to_state
union all
select person_group, to_state, -2, sum(nulls)::bigint
from step
where is_last and nulls > 0
group by person_group, to_state
order by from_state, to_state, person_group
