-- One row per trial started: until when, what brought it, and what became of it.
select
    t.event_id as free_trial_id,
    t.user_id,
    t.occurred_at as started_at,
    min(e.occurred_at) filter (where e.etype = 'trial_completed') as ended_at,
    t.channel as activation_source,
    case
        when count(*) filter (where e.etype = 'purchase') > 0 then 'converted'
        when count(*) filter (where e.etype = 'trial_completed') > 0 then 'ended'
        else 'active'
    end as status
from lake.user_event as t
left join lake.user_event as e
    on e.user_id = t.user_id
    and e.occurred_at > t.occurred_at
    and e.etype in ('trial_completed', 'purchase')
where t.etype = 'trial_started'
group by t.event_id, t.user_id, t.occurred_at, t.channel
