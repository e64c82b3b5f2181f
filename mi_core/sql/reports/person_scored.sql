-- One row per person of the scoring $as_of: who they are likely to be, by which source and how
-- surely; what behaviour alone says; how close they are, and how strongly drawn back. The persona
-- is the one assigned at that moment, or what behaviour says where none was.
-- Who is ready to buy is as in act_on. Who can be lost has bought, tried or left an address before;
-- with a churn risk of $risk or more they are at risk of leaving, ready to buy or not.
with
assigned as (
    select user_id::uuid as user_id, slug, source, confidence
    from state.user_persona
    where assigned_at <= $as_of and (superseded_at is null or superseded_at > $as_of)
),
bought_lately as (
    select distinct user_id
    from lake.user_event
    where
        etype = 'purchase'
        and occurred_at >= $as_of::timestamp - interval 30 day
        and occurred_at < $as_of::timestamp
),
scored as (
    select
        intent.user_id,
        coalesce(assigned.slug, intent.persona) as persona,
        intent.persona as rule_persona,
        coalesce(assigned.source, 'behavior_analysis') as source,
        coalesce(assigned.confidence, intent.persona_confidence) as confidence,
        intent.score,
        intent.level,
        magnetism.band,
        magnetism.churn_risk,
        intent.level in ('high', 'very_high') and bought_lately.user_id is null as is_ready,
        coalesce(
            least(
                milestone.purchased_at, milestone.trial_started_at, milestone.email_captured_at
            ) < $as_of,
            false
        ) as can_be_lost
    from lake.user_intent_score as intent
    inner join lake.user_magnetism_index as magnetism
        on
            magnetism.user_id = intent.user_id
            and magnetism.as_of = intent.as_of
            and magnetism.time_window = '30d'
    left join lake.user_milestone as milestone on milestone.user_id = intent.user_id
    left join assigned on assigned.user_id = intent.user_id
    left join bought_lately on bought_lately.user_id = intent.user_id
    where intent.as_of = $as_of
)
select
    *,
    can_be_lost and churn_risk >= $risk as is_at_risk
from scored
