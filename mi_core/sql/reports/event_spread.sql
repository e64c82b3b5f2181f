-- One row: the events of [$since, $until), those with a name that the taxonomy doesn't know, the
-- sums over people of their squares and of their products; the same of [$previous, $since); and the
-- sum of products across both. Events come in bunches by person: so sure are counts of them.
with
person as (
    select
        user_id,
        count(*) filter (where occurred_at >= $since) as events,
        count(*) filter (where occurred_at < $since) as events_before,
        count(*) filter (where occurred_at >= $since and is_unknown) as unknown,
        count(*) filter (where occurred_at < $since and is_unknown) as unknown_before
    from (
        select
            user_id,
            occurred_at,
            event_name not in (select event_name from taxonomy) as is_unknown
        from lake.user_event
        where occurred_at >= $previous and occurred_at < $until
    )
    group by user_id
)
select
    coalesce(sum(events), 0)::bigint as events,
    coalesce(sum(events * events), 0)::double as events_squares,
    coalesce(sum(unknown), 0)::bigint as unknown,
    coalesce(sum(unknown * unknown), 0)::double as unknown_squares,
    coalesce(sum(unknown * events), 0)::double as unknown_products,
    coalesce(sum(events_before), 0)::bigint as events_before,
    coalesce(sum(events_before * events_before), 0)::double as events_squares_before,
    coalesce(sum(unknown_before), 0)::bigint as unknown_before,
    coalesce(sum(unknown_before * unknown_before), 0)::double as unknown_squares_before,
    coalesce(sum(unknown_before * events_before), 0)::double as unknown_products_before,
    coalesce(sum(events * events_before), 0)::double as events_across
from person
