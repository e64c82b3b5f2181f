-- One row per milestone that the person in person_event has reached: when, and for those that
-- marketing leads to, the last touchpoint before; of two at one time the one with the later id.
with
first_time as (
    select
        min(occurred_at) filter (is_touch) as first_touch,
        min(occurred_at) filter (etype = 'email_submitted') as email_captured,
        min(occurred_at) filter (etype = 'identity_enriched') as enriched,
        min(occurred_at) filter (etype = 'trial_started') as trial_started,
        min(occurred_at) filter (etype = 'purchase') as purchased
    from person_event
),
reached as (
    unpivot first_time on columns(*) into name milestone value reached_at
)
select
    reached.milestone,
    reached.reached_at,
    max(touch.occurred_at) as touched_at,
    arg_max_null(touch.event_name, (touch.occurred_at, touch.event_id)) as event_name,
    arg_max_null(touch.channel, (touch.occurred_at, touch.event_id)) as channel,
    arg_max_null(touch.campaign_id, (touch.occurred_at, touch.event_id)) as campaign_id
from reached
left join (from person_event where is_touch) as touch
    on
        touch.occurred_at < reached.reached_at
        and reached.milestone in ('email_captured', 'trial_started', 'purchased')
group by reached.milestone, reached.reached_at
