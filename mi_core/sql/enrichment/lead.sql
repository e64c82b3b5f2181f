-- One row per lead: how far it came, when it was last heard of, what it cost, and whether it is of
-- use: whether it has what behaviour alone doesn't give, which is a profile, a fact of the company
-- that its source bears out, or a persona by a model.
--
-- Steps that were answered locally, for want of a provider, make a lead that no price is compared
-- with.
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
        bool_or(provider = 'local' and source <> 'rules') as is_local,
        bool_or(provider <> 'local' and case step
            when 'social' then answer <> '{}'
            when 'company'
                then list_contains(json_extract(answer, '$.*.is_supported')::varchar[], 'true')
            when 'persona' then answer is not null
        end) as has_answer
    from state.enrichment_step
    group by lead_id
)
select
    u.lead_id,
    u.status,
    case
        when u.email_hash is not null then null
        when u.email_domain is not null then 'disposable'
        else 'malformed'
    end as refused_as,
    u.status = 'completed' and u.is_partial = 1 as is_partial,
    u.status = 'completed' and coalesce(done.has_answer, false) as is_useful,
    (called.lead_id is not null or done.lead_id is not null) and not coalesce(done.is_local, false)
        as is_compared,
    coalesce(u.ended_at, greatest(u.queued_at, called.last_at, done.last_at)) as last_at,
    coalesce(called.cost_micros, 0)::bigint as cost_micros,
    coalesce(called.held_micros, 0)::bigint as held_micros,
    u.error
from state.user_identity as u
left join done on done.lead_id = u.lead_id
left join called on called.lead_id = u.lead_id
where u.lead_id is not null
