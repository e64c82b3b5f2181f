-- One row: of the leads in lead that ended in [$since, $until), what they cost and what is held for
-- them, and the sum of the squares of that; the same of those that had a provider for each step.
-- And how many leads ended later.
with
ended as (
    select
        cost_micros + held_micros as micros,
        is_compared,
        last_at < $until::timestamp as is_in
    from lead
    where
        status in ('completed', 'failed_permanent')
        and refused_as is null
        and last_at >= $since::timestamp
)
select
    count(*) filter (where is_in) as leads,
    coalesce(sum(micros) filter (where is_in), 0)::bigint as micros,
    coalesce(sum(micros * micros) filter (where is_in), 0)::bigint as squares,
    count(*) filter (where is_in and is_compared) as compared,
    coalesce(sum(micros) filter (where is_in and is_compared), 0)::bigint as compared_micros,
    coalesce(sum(micros * micros) filter (where is_in and is_compared), 0)::bigint
        as compared_squares,
    count(*) filter (where not is_in) as later
from ended
