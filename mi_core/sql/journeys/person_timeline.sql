-- One row per event of the person in person_event, the newest first, at most $most.
select
    event_id,
    occurred_at,
    event_name,
    etype,
    phase,
    channel,
    campaign_id,
    is_touch,
    is_conversion
from person_event
order by occurred_at desc, event_id desc
limit $most
