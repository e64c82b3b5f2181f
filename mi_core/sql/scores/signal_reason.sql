-- One row per signal that the people in scope_event gave in the window: how often, for how many
-- points in all, and when last. It says why an intent score is what it is.
with
recent as (
    select
        event.event_name,
        event.occurred_at,
        event.duration
    from scope_event as event
    where
        event.occurred_at >= $as_of::timestamp - to_days($days::integer)
        and event.occurred_at < $as_of::timestamp
),
given_signal as (
    select
        taxonomy.signal,
        recent.occurred_at,
        signal.points_micro
    from recent
    inner join taxonomy using (event_name)
    inner join signal using (signal)
    union all
    select
        signal.signal,
        recent.occurred_at,
        least(
            signal.cap_micro, (2 * recent.duration * signal.points_micro + 60000) // 120000
        ) as points_micro
    from recent
    inner join signal on signal.signal = 'time_on_site_per_min'
    where recent.duration > 0
)
select
    signal,
    count(*) as signals_count,
    sum(points_micro) / 1000000 as points,
    max(occurred_at) as last_seen_at
from given_signal
group by signal
order by points desc, signal
