-- One row: when the first call before $until was made; null where there was none.
select min(called_at) as called_at
from state.enrichment_call
where is_cached = 0 and called_at < $until::timestamp
