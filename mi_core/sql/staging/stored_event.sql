-- One row per event that the lake holds of one month, as accepted_event has them.
select
    event_id,
    event_name,
    user_id,
    distinct_id_hash,
    session_id,
    occurred_at,
    received_at,
    properties,
    experiments,
    source
from lake.analytics_events
where
    occurred_at >= $month
    and occurred_at < $month + interval 1 month
