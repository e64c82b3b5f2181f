-- One row per way in which events are fetched, export files or pulls: how many deliveries reached
-- up to an instant of ($since, $until], and what became of their rows. Rows are rejected by the
-- file, so to speak: how sure their share is, say sums over deliveries, of the squares of all rows
-- and of those rejected, and of their products.
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
),
counted as (
    select
        *,
        accepted + duplicates + withheld + rejected as rows
    from delivery
)
select
    way,
    count(*) as deliveries,
    sum(accepted)::bigint as accepted,
    sum(duplicates)::bigint as duplicates,
    sum(withheld)::bigint as withheld,
    sum(rejected)::bigint as rejected,
    sum(rows)::bigint as rows,
    sum(rows * rows)::double as rows_squares,
    sum(rejected * rejected)::double as rejected_squares,
    sum(rejected * rows)::double as rejected_products
from counted
where reached_at > $since and reached_at <= $until
group by way
order by way
