-- One row per touchpoint: an event flagged `touch`; where the flag is about the first of a session,
-- only that one.
select
    e.event_id,
    e.user_id,
    e.user_bucket,
    e.occurred_at,
    e.event_name,
    e.etype,
    e.channel,
    e.campaign_id,
    e.creative_id,
    e.email_id,
    e.post_id,
    e.session_id
from lake.user_event as e
join taxonomy as t on t.event_name = e.event_name
where t.is_touch and (t.session_first_etype is null or e.etype = t.session_first_etype)
