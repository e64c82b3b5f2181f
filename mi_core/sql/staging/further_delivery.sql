-- One row per event and source that delivered it again, and that the lake doesn't know of yet: rows
-- of event_delivery, among events from $since until $until.
with again as (
    select event_id, source, min(occurred_at) as occurred_at
    from repeat
    where source <> first_source
    group by event_id, source
)

select a.event_id, a.source, a.occurred_at
from again as a
anti join (
    select event_id, source
    from lake.event_delivery
    where occurred_at between $since and $until
) as known using (event_id, source)
order by a.occurred_at, a.event_id, a.source
