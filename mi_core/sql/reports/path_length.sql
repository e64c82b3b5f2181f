-- One row per number of touchpoints on a path, from 1 to $longest, which stands for longer ones
-- too: how many conversions they led up to, and how many people had such a path and didn't convert.
with
path as (
    select
        least(step.touches, $longest) as touches,
        journey.conversions,
        journey.nulls
    from path_step as step
    inner join journey using (journey_id)
    where step.position = 1
),
lengths as (
    select unnest(generate_series(1, $longest)) as touches
)
select
    lengths.touches,
    coalesce(sum(path.conversions), 0)::bigint as conversions,
    coalesce(sum(path.nulls), 0)::bigint as nulls
from lengths
left join path using (touches)
group by lengths.touches
order by lengths.touches
