-- One row per provider that was ever called before $until: how its newest call ended, and of its
-- calls whose cost nobody knows, those under way left out, how many there are, what is held for
-- them, and since when.
with
called as (
    select *, cost_micros is null and status <> 'reserved' as is_unknown
    from state.enrichment_call
    where is_cached = 0 and called_at < $until::timestamp
)
select
    provider,
    arg_max(status, (called_at, call_id)) filter (where status <> 'reserved') as last_status,
    max(called_at) filter (where status <> 'reserved') as last_at,
    count(*) filter (where is_unknown) as unknown,
    coalesce(sum(most_micros) filter (where is_unknown), 0)::bigint as unknown_micros,
    min(called_at) filter (where is_unknown) as unknown_since
from called
group by provider
order by provider
