-- One row: of the leads in lead that ended in [$since, $until), how many there are and what they
-- cost. What was refused at the door is no lead, and is counted apart.
with
ended as (
    select *
    from lead
    where
        status in ('completed', 'failed_permanent')
        and last_at >= $since::timestamp
        and last_at < $until::timestamp
),
tried as (
    select *
    from ended
    where refused_as is null
)
select
    count(*) as leads,
    count(*) filter (where status = 'completed') as completed,
    count(*) filter (where is_partial) as partial,
    count(*) filter (where is_useful) as useful,
    coalesce(sum(cost_micros), 0)::bigint as cost_micros,
    coalesce(sum(held_micros), 0)::bigint as held_micros,
    count(*) filter (where is_compared) as compared,
    coalesce(sum(cost_micros + held_micros) filter (where is_compared), 0)::bigint
        as compared_micros,
    (select count(*) from ended where refused_as = 'malformed') as malformed,
    (select count(*) from ended where refused_as = 'disposable') as disposable
from tried
