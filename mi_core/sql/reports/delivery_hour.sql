-- One row per UTC hour of [$since, $until), which are whole hours: the events known, how many each
-- source delivered, and how many came by it alone. The reference is what an export or a pull
-- brought; `received` of it came by the webhook or straight from an SDK as well, `missed` didn't.
-- Their share is null where nothing is verified: no stretch in reference_span has the hour.
with clock as (
    select unnest(generate_series(
        $since::timestamp, $until::timestamp - interval 1 hour, interval 1 hour
    )) as hour
),

further as (
    select
        event_id,
        bool_or(source = 'export') as export,
        bool_or(source = 'query') as query,
        bool_or(source = 'webhook') as webhook,
        bool_or(source = 'capture') as capture
    from lake.event_delivery
    where occurred_at >= $since and occurred_at < $until
    group by event_id
),

event as (
    select
        date_trunc('hour', known.occurred_at) as hour,
        case when further.event_id is null then known.source end as only_by,
        known.source = 'export' or coalesce(further.export, false) as by_export,
        known.source = 'query' or coalesce(further.query, false) as by_query,
        known.source = 'webhook' or coalesce(further.webhook, false) as by_webhook,
        known.source = 'capture' or coalesce(further.capture, false) as by_capture
    from lake.analytics_events as known
    left join further on further.event_id = known.event_id
    where known.occurred_at >= $since and known.occurred_at < $until
),

counted as (
    select
        hour,
        count(*) as events,
        count(*) filter (by_export) as export,
        count(*) filter (by_query) as query,
        count(*) filter (by_webhook) as webhook,
        count(*) filter (by_capture) as capture,
        count(*) filter (only_by = 'export') as only_export,
        count(*) filter (only_by = 'query') as only_query,
        count(*) filter (only_by = 'webhook') as only_webhook,
        count(*) filter (only_by = 'capture') as only_capture,
        count(*) filter (by_export or by_query) as reference,
        count(*) filter ((by_export or by_query) and (by_webhook or by_capture)) as received
    from event
    group by hour
),

filled as (
    select clock.hour, coalesce(columns(counted.* exclude (hour)), 0)
    from clock
    left join counted on counted.hour = clock.hour
),

judged as (
    select
        filled.*,
        bool_or(
            case
                when span.is_whole
                    then span.since <= filled.hour
                        and span.until >= filled.hour + interval 1 hour
                else filled.export > 0
                    and span.since < filled.hour + interval 1 hour
                    and span.until >= filled.hour
            end
        ) is true as is_verified
    from filled
    left join reference_span as span on true
    group by all
)

select
    *,
    reference - received as missed,
    case when is_verified and reference > 0 then received / reference end as share
from judged
order by hour
