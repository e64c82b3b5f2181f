-- One row per group of people and step of the Markov chain of order $order: how many paths took it.
-- A state is the numbers of the last $order keys, 15 bits each, the newest lowest; 0 is the start,
-- -1 a conversion, -2 a path that ends without one.
with
state as (
    select
        journey_id,
        position = touches as is_last,
        lag(code, 1, 0) over path as before,
        code
        | if($order > 1, lag(code, 1, 0) over path << 15, 0)
        | if($order > 2, lag(code, 2, 0) over path << 30, 0)
        | if($order > 3, lag(code, 3, 0) over path << 45, 0) as state,
        if($order = 1, 0, lag(code, 2, 0) over path << 15)
        | if($order > 2, lag(code, 3, 0) over path << 30, 0)
        | if($order > 3, lag(code, 4, 0) over path << 45, 0) as older
    from path_step
    window path as (partition by journey_id order by position)
),
step as (
    select
        journey.person_group,
        state.before | state.older as from_state,
        state.state as to_state,
        journey.conversions + journey.nulls as times
    from state
    inner join journey using (journey_id)
    union all
    select journey.person_group, state.state, -1, journey.conversions
    from state
    inner join journey using (journey_id)
    where state.is_last and journey.conversions > 0
    union all
    select journey.person_group, state.state, -2, journey.nulls
    from state
    inner join journey using (journey_id)
    where state.is_last and journey.nulls > 0
)
select person_group, from_state, to_state, sum(times)::bigint as times
from step
group by person_group, from_state, to_state
order by from_state, to_state, person_group
