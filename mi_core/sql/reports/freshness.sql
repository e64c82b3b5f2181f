-- One row per lake, so one: what it holds from before $until, how old its newest event is at that
-- moment, and what became of everything that was ever delivered.
with
held as (
    select
        count(*) as events,
        count(distinct user_id) as people,
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at,
        (epoch_us($until::timestamp) - epoch_us(max(occurred_at))) / 3600e6 as hours_behind
    from lake.user_event
    where occurred_at < $until
),
delivered as (
    select
        coalesce(sum(accepted), 0)::bigint as accepted,
        coalesce(sum(duplicates), 0)::bigint as duplicates,
        coalesce(sum(withheld), 0)::bigint as withheld,
        coalesce(sum(rejected), 0)::bigint as rejected
    from lake.ingest_batch
)
select *
from held
cross join delivered
