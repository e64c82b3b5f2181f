-- One row per email sent to a person.
select
    event_id as email_send_id,
    user_id,
    email_id as template_id,
    campaign_id,
    occurred_at as sent_at
from lake.user_event
where etype = 'email_send'
