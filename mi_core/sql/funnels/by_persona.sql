-- One row per person in the funnel: the persona in force at $until, else what behaviour said in the
-- newest score by then; null where neither is known.
with
assigned as (
    select user_id::uuid as user_id, slug
    from state.user_persona
    where assigned_at <= $until and (superseded_at is null or superseded_at > $until)
),
scored as (
    select user_id, arg_max(persona, as_of) as slug
    from lake.user_intent_score
    where as_of <= $until
    group by user_id
)
select funnel_person.person, coalesce(assigned.slug, scored.slug) as breakdown
from funnel_person
left join assigned using (user_id)
left join scored using (user_id)
