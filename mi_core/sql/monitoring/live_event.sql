-- One row per lake, so one: how many events of [$since, $until) the webhook delivered, or an SDK
-- straight, whether or not another source was first; and the newest of them.
with delivery as (
    select event_id, source, occurred_at
    from lake.analytics_events
    union all
    select event_id, source, occurred_at
    from lake.event_delivery
)
select count(distinct event_id) as events, max(occurred_at) as last_event_at
from delivery
where source in ('webhook', 'capture') and occurred_at >= $since and occurred_at < $until
