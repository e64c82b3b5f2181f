-- One row per lake: when its first and its last event happened; nulls where it has none.
select
    min(first_event_at) as first_at,
    max(last_event_at) as last_at
from lake.user_milestone
