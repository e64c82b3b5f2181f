-- One row per lead that was completed in [$since, $until): whose it is, since when, and what was
-- found that behaviour alone doesn't give: a profile, a fact of the company that its source bears
-- out, a model's persona.
with
found as (
    select
        lead_id,
        bool_or(step = 'social' and answer <> '{}') as has_profile,
        bool_or(
            step = 'company'
            and list_contains(json_extract(answer, '$.*.is_supported')::varchar[], 'true')
        ) as has_company,
        bool_or(step = 'persona' and answer is not null) as has_persona
    from state.enrichment_step
    where provider <> 'local'
    group by lead_id
)
select
    lead.user_id::uuid as user_id,
    lead.ended_at,
    coalesce(found.has_profile, false) as has_profile,
    coalesce(found.has_company, false) as has_company,
    coalesce(found.has_persona, false) as has_persona
from state.user_identity as lead
left join found on found.lead_id = lead.lead_id
where
    lead.lead_id is not null
    and lead.status = 'completed'
    and lead.ended_at >= $since::timestamp
    and lead.ended_at < $until::timestamp
