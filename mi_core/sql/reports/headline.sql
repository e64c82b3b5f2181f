-- One row per headline figure: its value in [$since, $until) and in [$previous, $since).
-- The earlier value is null where the lake holds less than nine tenths of that period.
with
halves as (
    select unnest([true, false]) as is_current
),
counted as (
    select
        occurred_at >= $since as is_current,
        count(distinct user_id) as people,
        count(distinct user_id) filter (where etype = 'email_submitted') as emails,
        count(distinct user_id) filter (where etype = 'trial_started') as trials,
        count(distinct user_id) filter (where etype = 'purchase') as buyers,
        count(*) filter (where etype = 'purchase') as purchases,
        sum(value) filter (where etype in ('purchase', 'subscription_renewal')) as revenue_cents
    from lake.user_event
    where occurred_at >= $previous and occurred_at < $until
    group by all
),
arrived as (
    select
        first_event_at >= $since as is_current,
        count(*) as new_people
    from lake.user_milestone
    where first_event_at >= $previous and first_event_at < $until
    group by all
),
by_half as (
    select
        halves.is_current,
        coalesce(counted.people, 0)::bigint as people,
        coalesce(arrived.new_people, 0)::bigint as new_people,
        coalesce(counted.emails, 0)::bigint as emails,
        coalesce(counted.trials, 0)::bigint as trials,
        coalesce(counted.buyers, 0)::bigint as buyers,
        coalesce(counted.purchases, 0)::bigint as purchases,
        coalesce(counted.revenue_cents, 0)::bigint as revenue_cents
    from halves
    left join counted using (is_current)
    left join arrived using (is_current)
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
