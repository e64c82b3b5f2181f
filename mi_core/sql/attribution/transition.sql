-- One row per group of people and step of the Markov chain of order $order: how many paths took it.
-- A state is the numbers of the last $order keys, 15 bits each, the newest lowest; 0 is the start,
-- -1 a conversion, -2 a path that ends without one.
with
state as (
    select
        journey_id,
        position = touches as is_last,
        lag(code, 1, 0) over path
        | if($order > 1, lag(code, 2, 0) over path << 15, 0)
        | if($order > 2, lag(code, 3, 0) over path << 30, 0)
        | if($order > 3, lag(code, 4, 0) over path << 45, 0) as from_state,
        code
        | if($order > 1, lag(code, 1, 0) over path << 15, 0)
        | if($order > 2, lag(code, 2, 0) over path << 30, 0)
        | if($order > 3, lag(code, 3, 0) over path << 45, 0) as to_state
    from path_step
    window path as (partition by journey_id order by position)
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
