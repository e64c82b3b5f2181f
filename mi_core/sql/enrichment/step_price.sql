-- One row per step that anything was paid for before $until: how many calls cost something, and how
-- much, from $since on and before it.
select
    step,
    count(*) filter (where called_at >= $since::timestamp) as calls,
    coalesce(sum(cost_micros) filter (where called_at >= $since::timestamp), 0)::bigint
        as cost_micros,
    count(*) filter (where called_at < $since::timestamp) as earlier_calls,
    coalesce(sum(cost_micros) filter (where called_at < $since::timestamp), 0)::bigint
        as earlier_micros
from state.enrichment_call
where
    is_cached = 0
    and cost_micros > 0
    and step is not null
    and called_at < $until::timestamp
group by step
order by step
