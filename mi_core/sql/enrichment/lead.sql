-- One row per lead: how far it came, when it was last heard of, what it cost, and whether it is of
-- use: whether it has what behaviour alone doesn't give, which is a profile, a fact of the company
-- that its source bears out, or a persona by a model.
--
-- A lead that gave way to a newer one of the same person has only its steps left; with a persona
-- among them, it had been completed. Steps that were answered locally, for want of a provider, make
-- a lead that no price is compared with.
with
called as (
    select
        lead_id,
        max(called_at) as last_at,
        sum(cost_micros) as cost_micros,
        sum(most_micros) filter (where cost_micros is null) as held_micros
    from state.enrichment_call
    where lead_id is not null
    group by lead_id
),
done as (
    select
        lead_id,
        max(done_at) as last_at,
        bool_or(step = 'persona') as has_persona,
        bool_or(error is not null) as lacks_step,
        bool_or(provider = 'local' and source <> 'rules') as is_local,
        bool_or(provider <> 'local' and case step
            when 'social' then answer <> '{}'
            when 'company'
                then list_contains(json_extract(answer, '$.*.is_supported')::varchar[], 'true')
            when 'persona' then answer is not null
        end) as has_answer
    from state.enrichment_step
    group by lead_id
),
known as (
    select
        lead_id,
        u.user_id is null as has_given_way,
        coalesce(u.status, 'completed') as status,
        coalesce(u.is_partial = 1, done.lacks_step) as is_partial,
        coalesce(done.has_answer, false) as has_answer,
        called.lead_id is not null or done.lead_id is not null as is_begun,
        coalesce(done.is_local, false) as is_local,
        case
            when u.user_id is null or u.email_hash is not null then null
            when u.email_domain is not null then 'disposable'
            else 'malformed'
        end as refused_as,
        case
            when u.status = 'completed' then u.enriched_at
            else coalesce(u.ended_at, greatest(u.queued_at, called.last_at, done.last_at))
        end as last_at,
        coalesce(called.cost_micros, 0)::bigint as cost_micros,
        coalesce(called.held_micros, 0)::bigint as held_micros,
        u.error
    from state.user_identity as u
    full join done using (lead_id)
    left join called using (lead_id)
    where lead_id is not null and (u.user_id is not null or done.has_persona)
)
select
    lead_id,
    status,
    refused_as,
    status = 'completed' and is_partial as is_partial,
    status = 'completed' and has_answer as is_useful,
    is_begun and not is_local as is_compared,
    last_at,
    cost_micros,
    held_micros,
    error
from known
