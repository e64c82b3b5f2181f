-- One row per persona: the people whom it describes at the scoring $as_of, how strong their intent
-- is, and how many have bought. The assignment in force at that moment decides, and behaviour alone
-- where there is none. A persona with nobody has a row too.
with
assigned as (
    select user_id::uuid as user_id, slug
    from state.user_persona
    where assigned_at <= $as_of and (superseded_at is null or superseded_at > $as_of)
),
scored as (
    select
        coalesce(assigned.slug, intent.persona) as slug,
        intent.score,
        coalesce(milestone.purchased_at < $as_of, false) as has_bought
    from lake.user_intent_score as intent
    left join assigned using (user_id)
    left join lake.user_milestone as milestone using (user_id)
    where intent.as_of = $as_of
),
counted as (
    select
        slug,
        count(*) as people,
        median(score) as median_intent,
        count(*) filter (where has_bought) as buyers
    from scored
    group by slug
),
all_personas as (
    select
        bucket.position,
        bucket.slug as persona,
        bucket.label,
        coalesce(counted.people, 0) as people,
        counted.median_intent,
        coalesce(counted.buyers, 0) as buyers
    from persona as bucket
    left join counted using (slug)
)
select *, people / nullif(sum(people) over (), 0) as share
from all_personas
order by position
