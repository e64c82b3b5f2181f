-- One row per persona, all of them: how many people have it, the shares that started a trial and
-- bought, days from the first event to the trial, and the average magnetism over 30 days. A
-- person's persona is the one assigned by a person or a model, else what behaviour speaks for.
-- Averages are of integers, which add up the same in any order.
with
person as (
    select
        score.user_id,
        coalesce(assigned.slug, score.persona) as persona
    from persona_score as score
    left join state.user_persona as assigned
        on
            assigned.user_id::uuid = score.user_id
            and assigned.superseded_at is null
            and assigned.source <> 'behavior_analysis'
),
result as (
    select
        person.persona,
        feature.trial_started,
        feature.purchase_made,
        floor(1000000 * magnetism.magnetism_index + 0.5)::bigint as index_micro,
        if(
            feature.trial_started,
            epoch_us(milestone.trial_started_at) - epoch_us(milestone.first_event_at),
            null
        ) as us_to_trial
    from person
    inner join magnetism using (user_id)
    inner join feature using (user_id, time_window)
    inner join lake.user_milestone as milestone using (user_id)
    where magnetism.time_window = '30d'
)
select
    persona.slug as persona,
    count(result.persona) as users,
    avg(result.trial_started::integer) as trial_rate,
    avg(result.purchase_made::integer) as purchase_rate,
    avg(result.us_to_trial) / 86400000000 as avg_days_to_trial,
    avg(result.index_micro) / 1000000 as avg_magnetism
from persona
left join result on result.persona = persona.slug
group by persona.slug, persona.position
order by persona.position
