-- One row per lake, so one: how many events of [$since, $until) came first by the webhook or
-- straight from an SDK, and the newest of them.
select count(*) as events, max(occurred_at) as last_event_at
from lake.analytics_events
where source in ('webhook', 'capture') and occurred_at >= $since and occurred_at < $until
