-- One row per person in scope_event: when they first did what matters once, over all of those
-- events. A visit is a landing_view or an app_open.
select
    event.user_id,
    min(event.occurred_at) as first_event_at,
    min(event.occurred_at) filter (event.etype in ('landing_view', 'app_open')) as first_visit_at,
    min(event.occurred_at) filter (taxonomy.is_engagement) as first_engagement_at,
    min(event.occurred_at) filter (event.etype = 'email_submitted') as email_captured_at,
    min(event.occurred_at) filter (event.etype = 'trial_started') as trial_started_at,
    min(event.occurred_at) filter (event.etype = 'purchase') as purchased_at,
    max(event.occurred_at) as last_event_at
from scope_event as event
left join taxonomy using (event_name)
group by event.user_id
