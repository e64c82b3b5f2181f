-- One row per person and window with any of these: emails sent, opened and clicked, and returns
-- from social posts and ads. A visit (landing_view, app_open) that comes from a social channel is a
-- return if it is later than the person's first visit.
with
contact as (
    select
        event.user_id,
        event.occurred_at,
        event.etype,
        event.etype in ('return_to_social', 'return_to_ad')
        or (
            event.etype in ('landing_view', 'app_open')
            and channel.is_social
            and event.occurred_at > milestone.first_visit_at
        ) as is_social_return
    from scope_event as event
    left join channel using (channel)
    left join scope_milestone as milestone using (user_id)
    where
        event.occurred_at >= $as_of::timestamp - to_days(list_max($days::integer[]))
        and event.occurred_at < $as_of::timestamp
        and event.etype in (
            'email_send', 'email_open', 'email_click', 'return_to_social', 'return_to_ad',
            'landing_view', 'app_open'
        )
),
windows as (
    select unnest($days::integer[]) as days
)
select
    contact.user_id,
    windows.days,
    count_if(contact.etype = 'email_send') as email_sends,
    count_if(contact.etype = 'email_open') as email_opens,
    count_if(contact.etype = 'email_click') as email_clicks,
    count_if(contact.is_social_return) as social_returns
from contact
inner join windows on contact.occurred_at >= $as_of::timestamp - to_days(windows.days)
group by contact.user_id, windows.days
