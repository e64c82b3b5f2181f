-- One row per person known before $as_of: what their events before it add up to, their persona by
-- the rules in force, what a person or a model had said of them by then, and what became of them
-- from then on (`outcome`; null for who it can't happen to).
select
    feature.user_id,
    $as_of::timestamp as as_of,
    intent.score as intent_score,
    floor(intent.score + 0.5)::integer as score,
    intent.engagement::integer as engagement,
    intent.purchase_intent::integer as purchase_intent,
    intent.recency::integer as recency,
    intent.frequency::integer as frequency,
    intent.top_signals,
    feature.signals_count::integer as signals_count,
    (epoch_us($as_of::timestamp) - epoch_us(feature.last_signal_at)) / 86400000000 as age_days,
    company.company_size::integer as company_size,
    feature.trial_started as had_trial,
    feature.purchase_made as had_purchase,
    month_intent.score as month_intent_score,
    month.active_days::integer as active_days,
    month.active_weeks::integer as active_weeks,
    month.reactivations::integer as reactivations,
    month.social_returns::integer as social_returns,
    month.email_sends::integer as email_sends,
    month.email_clicks::integer as email_clicks,
    magnetism.magnetism_index,
    persona_score.persona,
    persona_score.persona_confidence,
    label.label,
    label.label_source,
    outcome.outcome
from feature
inner join intent using (user_id, time_window)
inner join feature as month
    on feature.user_id = month.user_id and month.time_window = '30d'
inner join intent as month_intent
    on feature.user_id = month_intent.user_id and month_intent.time_window = '30d'
inner join magnetism
    on feature.user_id = magnetism.user_id and magnetism.time_window = '30d'
inner join persona_score on feature.user_id = persona_score.user_id
left join company on feature.user_id = company.user_id
left join label on feature.user_id = label.user_id
left join outcome on feature.user_id = outcome.user_id
where feature.time_window = $intent_window
