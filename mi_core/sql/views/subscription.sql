-- One row per purchase: its plan, what it is worth in a month, until when it ran.
with purchase as (
    select
        e.event_id,
        e.user_id,
        e.occurred_at,
        e.channel,
        e.value,
        a.properties ->> '$.plan' as plan,
        a.properties ->> '$.term' as term,
        lead(e.occurred_at) over (
            partition by e.user_id
            order by e.occurred_at, e.event_id
        ) as next_at
    from lake.user_event as e
    join lake.analytics_events as a on a.event_id = e.event_id
    where e.etype = 'purchase'
)

select
    p.event_id as subscription_id,
    p.user_id,
    p.occurred_at as started_at,
    min(c.occurred_at) as ended_at,
    p.channel as activation_source,
    p.plan,
    case when lower(p.term) in ('annual', 'year', 'yearly') then p.value // 12 else p.value end
        as mrr_cents,
    case when min(c.occurred_at) is null then 'active' else 'cancelled' end as status
from purchase as p
left join lake.user_event as c
    on c.user_id = p.user_id
    and c.etype = 'cancel'
    and c.occurred_at > p.occurred_at
    and (p.next_at is null or c.occurred_at <= p.next_at)
group by all
