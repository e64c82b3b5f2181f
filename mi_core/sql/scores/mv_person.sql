-- One row per person in user_score: all that a scoring says of them, and where their magnetism
-- stands among all people of their persona.
with
cohort as (
    select
        persona_score.persona,
        magnetism.time_window,
        count(*) as people,
        steady_sum(magnetism.magnetism_index) / count(*) as average
    from magnetism
    inner join persona_score using (user_id)
    group by persona_score.persona, magnetism.time_window
),
stood as (
    select
        magnetism.*,
        cohort.people as cohort_people,
        -- All but those above: a rank is one more than these.
        cohort.people + 1 - rank() over (
            partition by persona_score.persona, magnetism.time_window
            order by magnetism.magnetism_index desc
        ) as cohort_at_or_below,
        cohort.average as cohort_average
    from magnetism
    inner join persona_score using (user_id)
    inner join cohort
        on
            cohort.persona = persona_score.persona
            and cohort.time_window = magnetism.time_window
)
select
    bucket_of(score.user_id) as user_bucket,
    score.*,
    week.magnetism_index as magnetism_index_7d,
    week.band as band_7d,
    week.risk_level as risk_level_7d,
    week.intent as intent_7d,
    week.engagement as engagement_7d,
    week.reactivation as reactivation_7d,
    week.email_ctr as email_ctr_7d,
    week.social_returns as social_returns_7d,
    week.churn_risk as churn_risk_7d,
    week.recommendations as recommendations_7d,
    week.cohort_people as cohort_people_7d,
    week.cohort_at_or_below as cohort_at_or_below_7d,
    week.cohort_average as cohort_average_7d,
    month.magnetism_index as magnetism_index_30d,
    month.band as band_30d,
    month.risk_level as risk_level_30d,
    month.intent as intent_30d,
    month.engagement as engagement_30d,
    month.reactivation as reactivation_30d,
    month.email_ctr as email_ctr_30d,
    month.social_returns as social_returns_30d,
    month.churn_risk as churn_risk_30d,
    month.recommendations as recommendations_30d,
    month.cohort_people as cohort_people_30d,
    month.cohort_at_or_below as cohort_at_or_below_30d,
    month.cohort_average as cohort_average_30d
from user_score as score
inner join stood as week on week.user_id = score.user_id and week.time_window = '7d'
inner join stood as month on month.user_id = score.user_id and month.time_window = '30d'
order by score.user_id
