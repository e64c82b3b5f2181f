-- One row per person whose persona is known at $as_of: the one then assigned, else what the newest
-- score says.
with
assigned as (
    select user_id::uuid as user_id, slug
    from state.user_persona
    where assigned_at <= $as_of and (superseded_at is null or superseded_at > $as_of)
),
scored as (
    select user_id, arg_max(persona, as_of) as slug
    from lake.user_intent_score
    where as_of <= $as_of
    group by user_id
)
select user_id, coalesce(assigned.slug, scored.slug) as slug
from scored
full join assigned using (user_id)
