-- One row per person of $user_ids whom the newest scoring knows: what their behaviour says.
select
    user_id::varchar as user_id,
    score as intent_score,
    signals_count,
    engagement,
    purchase_intent,
    recency,
    frequency,
    top_signals,
    persona,
    persona_confidence
from lake.user_intent_score
where
    as_of = (select max(as_of) from lake.score_run)
    and list_contains($user_ids::uuid[], user_id)
