-- One row per person: the persona that their behaviour speaks for, the first in $personas whose
-- rule holds on the rounded intent score and its breakdown. All that a rule states must hold.
with
known as (
    select
        intent.*,
        floor(intent.score + 0.5) as rounded_score,
        coalesce(company.company_size, 0) as company_size
    from intent
    left join company using (user_id)
    where intent.time_window = $intent_window
),
matched as (
    select
        user_id,
        list_filter(
            $personas,
            lambda each:
                coalesce(purchase_intent > each.purchase_intent_above, true)
                and coalesce(purchase_intent < each.purchase_intent_below, true)
                and coalesce(engagement > each.engagement_above, true)
                and coalesce(frequency > each.frequency_above, true)
                and coalesce(rounded_score < each.score_below, true)
                and coalesce(company_size > each.company_size_above, true)
                and coalesce(list_contains(top_signals, each.top_signal), true)
        )[1] as persona
    from known
)
select
    user_id,
    persona.slug as persona,
    persona.confidence as persona_confidence
from matched
