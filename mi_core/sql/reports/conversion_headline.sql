-- One row per kind of conversion, its type or else the event's name: how many, and what they
-- are worth in cents, in [$since, $until) and in [$previous, $since). The earlier figures are null
-- where the lake holds less than nine tenths of that period. $conversion: one kind; null for all.
with
counted as (
    select
        coalesce(etype, event_name) as kind,
        count(*) filter (where occurred_at >= $since) as conversions,
        coalesce(sum(value) filter (where occurred_at >= $since), 0)::bigint as value_cents,
        count(*) filter (where occurred_at < $since) as conversions_before,
        coalesce(sum(value) filter (where occurred_at < $since), 0)::bigint as value_cents_before
    from conversion
    where
        occurred_at >= $previous
        and occurred_at < $until
        and (
            $conversion is null
            or etype is not distinct from $conversion
            or event_name = $conversion
        )
    group by kind
),
history as (
    select
        epoch_us(min(first_event_at)) - epoch_us($previous::timestamp)
            <= (epoch_us($since::timestamp) - epoch_us($previous::timestamp)) / 10 as is_comparable
    from lake.user_milestone
)
select
    counted.kind,
    counted.conversions,
    counted.value_cents,
    if(history.is_comparable, counted.conversions_before, null) as conversions_before,
    if(history.is_comparable, counted.value_cents_before, null) as value_cents_before
from counted
cross join history
order by counted.conversions desc, counted.kind
