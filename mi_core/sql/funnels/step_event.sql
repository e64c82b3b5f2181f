-- One row per event in [$since, $until) that takes a step of the funnel, or leaves its person out.
-- `mask` has a bit for each of these, from $etypes and $events (names), each name with its mask.
with
by_etype as (
    select unnest($etypes::varchar[]) as etype, unnest($etype_masks::uinteger[]) as mask
),
by_name as (
    select unnest($events::varchar[]) as event_name, unnest($event_masks::uinteger[]) as mask
)
select
    event.user_id,
    event.occurred_at,
    by_name.mask | coalesce(by_etype.mask, 0) as mask
from funnel_event as event
inner join by_name on by_name.event_name = event.event_name
left join by_etype on by_etype.etype = event.etype
where event.occurred_at >= $since::timestamp and event.occurred_at < $until::timestamp
union all
-- Two inner joins read less than one outer join over both.
select event.user_id, event.occurred_at, by_etype.mask
from funnel_event as event
inner join by_etype on by_etype.etype = event.etype
where
    event.occurred_at >= $since::timestamp
    and event.occurred_at < $until::timestamp
    and (
        event.event_name is null
        or event.event_name not in (select by_name.event_name from by_name)
    )
