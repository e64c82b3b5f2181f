-- One row per most frequent path, $paths of them: the paths' conversions first, then all of them.
-- Paths are told apart by a hash of their steps, so that only those shown are written out.
with
told as (
    select journey_id, sum(hash(position, code)::hugeint) as told_by
    from path_step
    group by journey_id
),
counted as (
    select
        told.told_by,
        min(told.journey_id) as journey_id,
        sum(journey.conversions)::bigint as conversions,
        sum(journey.nulls)::bigint as nulls,
        steady_sum(journey.value) as value
    from told
    inner join journey using (journey_id)
    group by told.told_by
),
shown as (
    select *, count(*) over () as paths_in_all
    from counted
    order by conversions desc, nulls desc, journey_id
    limit $paths
)
select
    list(path_key.key order by step.position) as path,
    any_value(shown.conversions) as conversions,
    any_value(shown.nulls) as nulls,
    any_value(shown.value) as value,
    any_value(shown.conversions) / nullif(any_value(shown.conversions + shown.nulls), 0)
        as conversion_rate,
    any_value(shown.paths_in_all) as paths_in_all
from shown
inner join path_step as step using (journey_id)
inner join path_key using (code)
group by shown.journey_id
order by conversions desc, nulls desc, path
