-- One row per person and window in which they gave a signal: what those signals add up to. An event
-- gives the signal of its taxonomy entry, and another one for its duration. Points are integers in
-- millionths. `ranked` has the top signals, most points first: points, then age, then name, packed
-- into one integer, as an aggregate of integers is several times faster than of rows.
with
numbered_signal as (
    select
        signal,
        points_micro,
        cap_micro,
        points_group,
        -- Of two signals with equal points and age, the first by name has the higher number.
        row_number() over (order by signal desc) as number
    from signal
),
named_event as (
    select
        taxonomy.event_name,
        rule.number,
        rule.points_micro::integer as points,
        rule.points_group
    from taxonomy
    inner join numbered_signal as rule using (signal)
),
recent as (
    select
        user_id,
        event_name,
        occurred_at,
        duration
    from scope_event
    where
        occurred_at >= $as_of::timestamp - to_days(list_max($days::integer[]))
        and occurred_at < $as_of::timestamp
),
given_signal as (
    select
        recent.user_id,
        recent.occurred_at,
        named_event.number,
        named_event.points,
        named_event.points_group
    from recent
    inner join named_event using (event_name)
    union all
    select
        recent.user_id,
        recent.occurred_at,
        rule.number,
        -- Half a millionth goes up: 60,000 ms have one minute's points.
        least(
            rule.cap_micro, (2 * recent.duration * rule.points_micro + 60000) // 120000
        )::integer as points,
        rule.points_group
    from recent
    inner join numbered_signal as rule on rule.signal = 'time_on_site_per_min'
    where recent.duration > 0
),
windows as (
    select unnest($days::integer[]) as days
)
select
    given.user_id,
    windows.days,
    count(*) as signals_count,
    sum(given.points)::bigint as points_micro,
    coalesce(sum(if(given.points_group = 'engagement', given.points, null)), 0)::bigint
        as engagement_micro,
    coalesce(sum(if(given.points_group = 'purchase_intent', given.points, null)), 0)::bigint
        as purchase_intent_micro,
    max(given.occurred_at) as last_signal_at,
    max(
        (
            given.points * (list_max($days::integer[]) * 86400000::bigint + 1)
            + epoch_us($as_of::timestamp) // 1000 - epoch_us(given.occurred_at) // 1000
        ) * (select count(*) + 1 from signal)
        + given.number,
        $top
    ) as ranked
from given_signal as given
inner join windows on given.occurred_at >= $as_of::timestamp - to_days(windows.days)
group by given.user_id, windows.days
