-- One row per provider and step that were called in [$since, $until), or had an answer in a cache:
-- how the calls ended, what they cost, and how long they took. Lost ones are of a cost that nobody
-- knows; what is held for them, and for those under way, is the most that they can cost.
with
called as (
    select
        *,
        status not in ('ok', 'reserved') as is_failed,
        cost_micros is null and status <> 'reserved' as is_lost
    from state.enrichment_call
    where called_at >= $since::timestamp and called_at < $until::timestamp
)
select
    provider,
    step,
    count(*) filter (where is_cached = 0) as calls,
    count(*) filter (where is_cached = 0 and status = 'ok') as ok,
    count(*) filter (where is_failed) as failed,
    coalesce(sum(cost_micros) filter (where is_failed), 0)::bigint as failed_micros,
    count(*) filter (where is_lost) as lost,
    coalesce(sum(most_micros) filter (where is_lost), 0)::bigint as lost_micros,
    coalesce(sum(cost_micros), 0)::bigint as cost_micros,
    coalesce(sum(most_micros) filter (where cost_micros is null), 0)::bigint as held_micros,
    count(*) filter (where is_cached = 1) as cached,
    count(*) filter (where batch_key is null and cost_micros > 0) as at_once,
    coalesce(sum(cost_micros) filter (where batch_key is null), 0)::bigint as at_once_micros,
    round(quantile_cont(latency_ms, 0.5) filter (where is_cached = 0))::bigint as median_ms,
    round(quantile_cont(latency_ms, 0.95) filter (where is_cached = 0))::bigint as p95_ms
from called
group by provider, step
order by provider, step
