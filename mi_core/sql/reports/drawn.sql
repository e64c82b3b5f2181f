-- One row per person scored as of $as_of, or as of $begin_at before it: how strongly they were
-- drawn at the one (now) and the other (past), their churn risk also a week ago and at the scoring
-- before, who they are, and what they did. What wasn't scored is null. Money is in cents, an index
-- in hundredths of a point.
--
-- Known is who bought, tried or left an address before the scoring; ready to buy is as in act_on.
with
score as (
    select
        user_id,
        struct_pack(
            index_100 := floor(100 * magnetism_index + 0.5)::bigint,
            band := band, churn_risk := churn_risk, intent := intent, engagement := engagement,
            reactivation := reactivation, email_ctr := email_ctr, social_returns := social_returns,
            recommendations := recommendations
        ) as said,
        as_of,
        time_window
    from lake.user_magnetism_index
    where as_of in ($as_of, $begin_at::timestamp, $week_at::timestamp, $last_at::timestamp)
),
beside as (
    select
        user_id,
        any_value(said) filter (as_of = $as_of and time_window = '30d') as now,
        any_value(said) filter (as_of = $as_of and time_window = '7d') as now_7d,
        any_value(said) filter (as_of = $begin_at and time_window = '30d') as past,
        any_value(said) filter (as_of = $begin_at and time_window = '7d') as past_7d,
        any_value(said.churn_risk) filter (as_of = $week_at and time_window = '30d') as risk_week,
        any_value(said.churn_risk) filter (as_of = $last_at and time_window = '30d') as risk_last
    from score
    group by user_id
    having now is not null or past is not null
),
history as (
    select
        event.user_id,
        max(event.occurred_at) filter (
            taxonomy.is_engagement or event.etype in ('landing_view', 'purchase')
        ) as last_here_at,
        max(event.occurred_at) filter (taxonomy.is_engagement) as last_act_at,
        count(*) filter (event.etype = 'purchase') as purchases,
        max(event.occurred_at) filter (event.etype = 'purchase') as last_purchase_at,
        coalesce(
            sum(event.value) filter (event.etype in ('purchase', 'subscription_renewal')), 0
        )::bigint as spent_cents
    from lake.user_event as event
    left join taxonomy on taxonomy.event_name = event.event_name
    where event.occurred_at < $as_of
    group by event.user_id
),
came_by as (
    select
        user_id,
        arg_min_null(channel, (occurred_at, event_id)) as channel
    from touchpoint
    where occurred_at < $as_of
    group by user_id
),
assigned as (
    select user_id::uuid as user_id, slug
    from state.user_persona
    where assigned_at <= $as_of and (superseded_at is null or superseded_at > $as_of)
),
known as (
    select
        user_id,
        least(email_captured_at, trial_started_at, purchased_at) as known_at,
        coalesce(email_captured_at < $as_of, false) as has_address
    from lake.user_milestone
)
select
    beside.*,
    coalesce(assigned.slug, intent.persona) as persona,
    came_by.channel,
    coalesce(known.known_at < $as_of, false) as is_known,
    coalesce(known.known_at < $begin_at, false) as was_known,
    coalesce(known.known_at < $week_at, false) as was_known_week,
    coalesce(known.known_at < $last_at, false) as was_known_last,
    coalesce(known.has_address, false) as has_address,
    coalesce(intent.level in ('high', 'very_high'), false)
        and coalesce(history.last_purchase_at < $as_of::timestamp - interval 30 day, true)
        as is_ready,
    history.last_here_at,
    coalesce(history.last_act_at >= $begin_at, false) as acted_since,
    coalesce(history.purchases, 0) as purchases,
    coalesce(history.spent_cents, 0) as spent_cents
from beside
left join lake.user_intent_score as intent
    on intent.user_id = beside.user_id and intent.as_of = $as_of
left join history on history.user_id = beside.user_id
left join came_by on came_by.user_id = beside.user_id
left join assigned on assigned.user_id = beside.user_id
left join known on known.user_id = beside.user_id
