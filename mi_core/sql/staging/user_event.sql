-- One row per typed event, in the order that the lake clusters by.
select
    e.event_id,
    e.user_id,
    bucket_of(e.user_id) as user_bucket,
    e.event_name,
    e.etype,
    e.occurred_at,
    c.channel,
    e.campaign_id,
    e.creative_id,
    e.email_id,
    e.post_id,
    e.session_id,
    e.duration,
    e.value
from typed_event as e
left join channel_class as c on c.evidence_id = e.evidence
order by e.user_id, e.occurred_at, e.event_id
