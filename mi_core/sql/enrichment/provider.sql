-- One row per provider that was called in [$since, $until), or had an answer in a cache: how its
-- calls ended, what they cost, what is held for those of unknown cost, and how long they took. An
-- answer from a cache is no call, and is counted apart.
select
    provider,
    count(*) filter (where is_cached = 0) as calls,
    count(*) filter (where is_cached = 0 and status = 'ok') as ok,
    count(*) filter (where is_cached = 0 and status not in ('ok', 'reserved')) as failed,
    count(*) filter (where cost_micros is null) as unsettled,
    coalesce(sum(cost_micros), 0)::bigint as cost_micros,
    coalesce(sum(most_micros) filter (where cost_micros is null), 0)::bigint as held_micros,
    coalesce(sum(input_tokens), 0)::bigint as input_tokens,
    coalesce(sum(output_tokens), 0)::bigint as output_tokens,
    round(quantile_cont(latency_ms, 0.5) filter (where is_cached = 0))::bigint as median_ms,
    round(quantile_cont(latency_ms, 0.95) filter (where is_cached = 0))::bigint as p95_ms,
    count(*) filter (where is_cached = 1) as cached_calls,
    count(batch_key) as batch_calls,
    count(batch_key) filter (where cost_micros > 0) as batch_paid_calls,
    coalesce(sum(cost_micros) filter (where batch_key is not null), 0)::bigint as batch_micros
from state.enrichment_call
where called_at >= $since::timestamp and called_at < $until::timestamp
group by provider
order by provider
