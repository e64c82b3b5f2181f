-- One row per headline figure: its value in [$since, $until) and in [$previous, $since).
-- The earlier value is null where the lake holds less than nine tenths of that period.
-- Who only received something, such as an email or the sight of an ad, didn't come.
with
halves as (
    select unnest([true, false]) as is_current
),
person as (
    select
        user_id,
        occurred_at >= $since as is_current,
        bool_or(coalesce(etype, '') not in (
            'email_send', 'email_open', 'ad_impression', 'identity_enriched'
        )) as has_come,
        bool_or(etype = 'email_submitted') as has_left_email,
        bool_or(etype = 'trial_started') as has_tried,
        count(*) filter (where etype = 'purchase') as purchases,
        sum(value) filter (where etype in ('purchase', 'subscription_renewal')) as revenue_cents
    from lake.user_event
    where occurred_at >= $previous and occurred_at < $until
    group by all
),
counted as (
    select
        person.is_current,
        count(*) filter (where person.has_come) as people,
        count(*) filter (
            where person.has_come
                and milestone.first_event_at >= if(person.is_current, $since, $previous)::timestamp
        ) as new_people,
        count(*) filter (where person.has_left_email) as emails,
        count(*) filter (where person.has_tried) as trials,
        count(*) filter (where person.purchases > 0) as buyers,
        sum(person.purchases) as purchases,
        sum(person.revenue_cents) as revenue_cents
    from person
    left join lake.user_milestone as milestone using (user_id)
    group by all
),
by_half as (
    select
        halves.is_current,
        coalesce(counted.people, 0)::bigint as people,
        coalesce(counted.new_people, 0)::bigint as new_people,
        coalesce(counted.emails, 0)::bigint as emails,
        coalesce(counted.trials, 0)::bigint as trials,
        coalesce(counted.buyers, 0)::bigint as buyers,
        coalesce(counted.purchases, 0)::bigint as purchases,
        coalesce(counted.revenue_cents, 0)::bigint as revenue_cents
    from halves
    left join counted using (is_current)
),
long as (
    unpivot by_half
    on people, new_people, emails, trials, buyers, purchases, revenue_cents
    into name figure value amount
),
history as (
    select
        epoch_us(min(first_event_at)) - epoch_us($previous::timestamp)
            <= (epoch_us($since::timestamp) - epoch_us($previous::timestamp)) / 10 as is_comparable
    from lake.user_milestone
)
select
    long.figure,
    max(long.amount) filter (where long.is_current) as value,
    case
        when any_value(history.is_comparable)
            then max(long.amount) filter (where not long.is_current)
    end as previous
from long
cross join history
group by long.figure
order by long.figure
