-- One row per lake, so one: its newest event before $as_of, how many hours that is ago, and how
-- many events there were in the 28 days up to it.
with newest as (
    select max(occurred_at) as last_event_at
    from lake.user_event
    where occurred_at < $as_of
)
select
    newest.last_event_at,
    (epoch_us($as_of::timestamp) - epoch_us(newest.last_event_at)) / 3600e6 as hours_behind,
    (
        select count(*)
        from lake.user_event
        where
            occurred_at > newest.last_event_at - interval 28 day
            and occurred_at <= newest.last_event_at
    ) as events
from newest
