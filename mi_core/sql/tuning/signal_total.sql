-- One row per person and signal that they gave in the $days days before $as_of: how often, and for
-- how many points in all.
with
recent as (
    select
        user_id,
        event_name,
        duration
    from scope_event
    where
        occurred_at >= $as_of::timestamp - to_days($days::integer)
        and occurred_at < $as_of::timestamp
),
given_signal as (
    select
        recent.user_id,
        signal.signal,
        signal.points_micro
    from recent
    inner join taxonomy using (event_name)
    inner join signal using (signal)
    union all
    select
        recent.user_id,
        signal.signal,
        least(
            signal.cap_micro, (2 * recent.duration * signal.points_micro + 60000) // 120000
        ) as points_micro
    from recent
    inner join signal on signal.signal = 'time_on_site_per_min'
    where recent.duration > 0
)
select
    user_id,
    signal,
    count(*)::integer as signals_count,
    sum(points_micro)::double / 1000000 as points
from given_signal
group by user_id, signal
