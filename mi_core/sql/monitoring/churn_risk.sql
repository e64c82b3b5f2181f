-- One row per person with a churn risk of $risk or more at the scoring $as_of who once bought,
-- tried or left an address: risk and magnetism over 30 days, what is advised, both at the scoring
-- $earlier, and when they last did something in the product. The earlier ones are null for who
-- wasn't scored then.
with
now as (
    select user_id, churn_risk, magnetism_index, recommendations
    from lake.user_magnetism_index
    where as_of = $as_of and time_window = '30d' and churn_risk >= $risk
),
earlier as (
    select user_id, churn_risk, magnetism_index
    from lake.user_magnetism_index
    where as_of = $earlier::timestamp and time_window = '30d'
),
history as (
    select
        user_id,
        max(occurred_at) filter (
            event_name in (select event_name from taxonomy where is_engagement)
        ) as last_seen_at,
        count(*) filter (where etype = 'purchase') as purchases
    from lake.user_event
    semi join now using (user_id)
    where occurred_at < $as_of
    group by user_id
)
select
    now.user_id,
    now.churn_risk,
    earlier.churn_risk as churn_risk_before,
    now.magnetism_index,
    earlier.magnetism_index as magnetism_before,
    now.recommendations,
    history.last_seen_at,
    coalesce(history.purchases, 0) as purchases,
    coalesce(milestone.trial_started_at < $as_of, false) as has_tried
from now
left join earlier on earlier.user_id = now.user_id
left join lake.user_milestone as milestone on milestone.user_id = now.user_id
left join history on history.user_id = now.user_id
where
    history.purchases > 0
    or milestone.trial_started_at < $as_of
    or milestone.email_captured_at < $as_of
order by now.churn_risk desc, history.last_seen_at desc, now.user_id
