-- One row per persona, all of them in their order: of the people in $people, a table such as
-- person_then, how many came, started a trial and bought in [$since, $until), and what they paid.
with
acted as (
    select
        user_id,
        count(*) filter (where etype = 'trial_started') as trials,
        count(*) filter (where etype = 'purchase') as purchases,
        coalesce(
            sum(value) filter (where etype in ('purchase', 'subscription_renewal')), 0
        )::bigint as revenue_cents
    from lake.user_event
    where occurred_at >= $since and occurred_at < $until
    group by user_id
),
counted as (
    select
        person.persona as slug,
        count(*) as people,
        count(acted.user_id) as active,
        count(*) filter (where acted.trials > 0) as trials,
        count(*) filter (where acted.purchases > 0) as buyers,
        coalesce(sum(acted.revenue_cents), 0)::bigint as revenue_cents
    from query_table($people) as person
    left join acted on acted.user_id = person.user_id
    group by person.persona
)
select
    bucket.slug as persona,
    bucket.label,
    coalesce(counted.people, 0) as people,
    coalesce(counted.active, 0) as active,
    coalesce(counted.trials, 0) as trials,
    coalesce(counted.buyers, 0) as buyers,
    coalesce(counted.revenue_cents, 0) as revenue_cents
from persona as bucket
left join counted on counted.slug = bucket.slug
order by bucket.position
