-- One row per workspace: how many events that came before $as_of wait in the inbox, and since when.
select count(*) as events, min(received_at) as oldest_at
from state.inbox
where
    seq > coalesce((select max(last_seq) from lake.ingest_watermark), 0)
    and received_at < $as_of::timestamp
