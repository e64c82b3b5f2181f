-- One row per persona, all of them in their order: how its people did at the newest scoring, and
-- their share of all. Before the first scoring each has none.
select
    persona.slug,
    persona.label,
    persona.intent_level,
    coalesce(stored.users, 0) as users,
    stored.users / nullif(sum(stored.users) over (), 0) as share,
    stored.trial_rate,
    stored.purchase_rate,
    stored.avg_days_to_trial,
    stored.avg_magnetism
from persona
left join lake.mv_persona_performance as stored on stored.persona = persona.slug
order by persona.position
