-- One row per UTC day in [$since, $until) and provider that was called on it: what that cost, and
-- what is held for calls of unknown cost.
select
    called_at::date as day,
    provider,
    count(*) as calls,
    coalesce(sum(cost_micros), 0)::bigint as cost_micros,
    coalesce(sum(most_micros) filter (where cost_micros is null), 0)::bigint as held_micros
from state.enrichment_call
where is_cached = 0 and called_at >= $since::timestamp and called_at < $until::timestamp
group by all
order by day, provider
