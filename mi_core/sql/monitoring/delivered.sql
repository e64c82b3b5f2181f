-- One row per way in which events are fetched, export files or pulls: how many deliveries reached
-- up to an instant of ($since, $until], and what became of their rows.
with delivery as (
    select
        'export' as way,
        last_event_at as reached_at,
        accepted,
        duplicates,
        withheld,
        rejected
    from lake.ingest_batch
    where source = 'export'
    union all by name
    select
        'query' as way,
        until as reached_at,
        accepted,
        duplicates,
        withheld,
        rejected
    from lake.pull_window
)
select
    way,
    count(*) as deliveries,
    sum(accepted)::bigint as accepted,
    sum(duplicates)::bigint as duplicates,
    sum(withheld)::bigint as withheld,
    sum(rejected)::bigint as rejected
from delivery
where reached_at > $since and reached_at <= $until
group by way
order by way
