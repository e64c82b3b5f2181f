-- One row per conversion: an event flagged `conversion`, with its value in cents.
select
    e.event_id,
    e.user_id,
    e.user_bucket,
    e.occurred_at,
    e.event_name,
    e.etype,
    e.value
from lake.user_event as e
join taxonomy as t on t.event_name = e.event_name
where t.is_conversion
