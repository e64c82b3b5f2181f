-- One row per event in [$since, $until), whatever it is; `mask` as in step_event.sql, and $other of
-- an event that is no step and leaves nobody out.
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
    coalesce(by_name.mask | by_etype.mask, by_name.mask, by_etype.mask, $other::uinteger) as mask
from funnel_event as event
left join by_name on by_name.event_name = event.event_name
left join by_etype on by_etype.etype = event.etype
where event.occurred_at >= $since::timestamp and event.occurred_at < $until::timestamp
