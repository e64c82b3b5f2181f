-- One row per milestone that the person in person_event has reached: when, and for those that follow
-- from being touched, the last touchpoint before; at one time the later id counts.
with
reached as (
    select
        case
            when is_touch then 'first_touch'
            when etype = 'email_submitted' then 'email_captured'
            when etype = 'identity_enriched' then 'enriched'
            when etype = 'trial_started' then 'trial_started'
            when etype = 'purchase' then 'purchased'
        end as milestone,
        min(occurred_at) as reached_at
    from person_event
    group by all
    having milestone is not null
)
select
    reached.milestone,
    reached.reached_at,
    max(touch.occurred_at) as touched_at,
    arg_max(touch.event_name, (touch.occurred_at, touch.event_id)) as event_name,
    arg_max(touch.channel, (touch.occurred_at, touch.event_id)) as channel,
    arg_max(touch.campaign_id, (touch.occurred_at, touch.event_id)) as campaign_id
from reached
left join (from person_event where is_touch) as touch
    on
        touch.occurred_at < reached.reached_at
        and reached.milestone in ('email_captured', 'trial_started', 'purchased')
group by reached.milestone, reached.reached_at
