-- One row per person and window: the magnetism index with its components, churn risk and what to
-- do. Components and churn risk are rounded half up, the index is not; bands and advice go by the
-- unrounded index. Saturation targets of counts are for 30 days and scale with the window.
with
habit_share as (
    select
        feature.*,
        intent.score,
        left(feature.time_window, -1)::integer / 30 as scale,
        $rules.active_days_share * feature.active_days / $rules.saturations.active_days
        + $rules.active_weeks_share * feature.active_weeks / $rules.saturations.active_weeks
            as engagement_share,
        if(feature.email_sends = 0, 0, feature.email_clicks / feature.email_sends) as click_rate
    from feature
    inner join intent using (user_id, time_window)
    where feature.time_window in ('7d', '30d')
),
component as (
    select
        *,
        $rules.weights.intent * (score / 100) as intent_part,
        $rules.weights.engagement * engagement_share as engagement_part,
        $rules.weights.reactivation
        * least(1, reactivations / ($rules.saturations.reactivations * scale)) as reactivation_part,
        $rules.weights.email_ctr * least(1, click_rate) as email_part,
        $rules.weights.social_returns
        * least(1, social_returns / ($rules.saturations.social_returns * scale)) as social_part
    from habit_share
),
indexed as (
    select
        *,
        least(
            100,
            intent_part + engagement_part + reactivation_part + email_part + social_part
            + ($rules.bonuses.trial * trial_started::integer
                + $rules.bonuses.purchase * purchase_made::integer)
        )::double as magnetism_index
    from component
),
risked as (
    select
        *,
        magnetism_index < $rules.bands_below.cold as is_cold,
        magnetism_index < $rules.bands_below.cooling as is_below_warm,
        magnetism_index < $rules.bands_below.warm as is_below_hot,
        100
        - magnetism_index
        + $rules.churn.no_active_day * (active_days = 0)::integer
        + $rules.churn.no_reactivation * (reactivations = 0)::integer
        - $rules.churn.email_click * (email_clicks > 0)::integer
        - $rules.churn.trial * trial_started::integer
        - $rules.churn.purchase * purchase_made::integer as churn
    from indexed
)
select
    user_id,
    time_window,
    magnetism_index,
    case
        when is_cold then 'cold' when is_below_warm then 'cooling'
        when is_below_hot then 'warm' else 'hot'
    end as band,
    case
        when is_cold then 'high_risk' when is_below_warm then 'moderate'
        when is_below_hot then 'good' else 'excellent'
    end as risk_level,
    floor(intent_part + 0.5)::bigint as intent,
    floor(engagement_part + 0.5)::bigint as engagement,
    floor(reactivation_part + 0.5)::bigint as reactivation,
    floor(email_part + 0.5)::bigint as email_ctr,
    floor(social_part + 0.5)::bigint as social_returns,
    floor(least(100, greatest(0, churn)) + 0.5)::bigint as churn_risk,
    list_filter([
        if(is_cold, 'win_back', null),
        if(is_cold, 'personal_outreach', null),
        if(is_below_warm and not is_cold, 'nurture_sequence', null),
        if(is_below_warm and not is_cold, 'remove_friction', null),
        if(active_days < $rules.advice.active_days_below, 'feature_nudge', null),
        if(email_sends > 0 and email_clicks = 0, 'test_email_copy', null),
        if(reactivations < $rules.advice.reactivations_below, 'build_habit', null),
        if(
            not trial_started and magnetism_index > $rules.advice.offer_trial_above,
            'offer_trial', null
        ),
        if(
            trial_started and not purchase_made
            and magnetism_index > $rules.advice.convert_trial_above,
            'convert_trial', null
        ),
        if(not is_below_hot, 'upsell_or_referral', null)
    ], lambda code: code is not null) as recommendations
from risked
