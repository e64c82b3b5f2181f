-- One row per person to act on: at most $people in each of two lists, the most pressing first.
-- ready_to_buy: high or very high intent at $as_of, and no purchase in the 30 days before.
-- Last here is a visit, an act in the product or a purchase: no email that somebody only received.
-- at_risk: bought, tried or left an address once, and a churn risk of $risk or more; of these, who
-- is ready to buy is on that list only.
with
history as (
    select
        event.user_id,
        max(event.occurred_at) filter (
            where taxonomy.is_engagement or event.etype in ('landing_view', 'purchase')
        ) as last_here_at,
        count(*) filter (where event.etype = 'purchase') as purchases,
        sum(event.value) filter (where event.etype = 'purchase') as spent_cents,
        max(event.occurred_at) filter (where event.etype = 'purchase') as last_purchase_at
    from lake.user_event as event
    left join taxonomy on taxonomy.event_name = event.event_name
    where event.occurred_at < $as_of
    group by event.user_id
),
assigned as (
    select user_id::uuid as user_id, slug
    from state.user_persona
    where assigned_at <= $as_of and (superseded_at is null or superseded_at > $as_of)
),
scored as (
    select
        intent.user_id,
        intent.score,
        intent.top_signals,
        bucket.label as persona,
        magnetism.magnetism_index,
        magnetism.band,
        magnetism.churn_risk,
        magnetism.recommendations,
        history.last_here_at,
        coalesce(history.purchases, 0) as purchases,
        history.spent_cents,
        history.last_purchase_at,
        intent.level in ('high', 'very_high')
            and coalesce(history.last_purchase_at < $as_of - interval 30 day, true) as is_ready,
        coalesce(history.purchases, 0) > 0
            or milestone.trial_started_at < $as_of
            or milestone.email_captured_at < $as_of as can_be_lost
    from lake.user_intent_score as intent
    join lake.user_magnetism_index as magnetism using (user_id, as_of)
    left join lake.user_milestone as milestone using (user_id)
    left join history using (user_id)
    left join assigned using (user_id)
    left join persona as bucket
        on bucket.slug = coalesce(assigned.slug, intent.persona)
    where intent.as_of = $as_of and magnetism.time_window = '30d'
),
listed as (
    select *, 'ready_to_buy' as list, score as urgency
    from scored
    where is_ready
    union all
    select *, 'at_risk' as list, churn_risk as urgency
    from scored
    where not is_ready and can_be_lost and churn_risk >= $risk
)
select
    list,
    row_number() over worth as position,
    count(*) over (partition by list) as listed,
    * exclude (list, urgency, is_ready, can_be_lost)
from listed
window worth as (
    partition by list
    order by urgency desc, spent_cents desc nulls last, purchases desc, last_here_at desc, user_id
)
qualify position <= $people
order by list, position
