-- One row per whole day, 0 to $days − 1, from the first touchpoint in a conversion's lookback
-- window to the conversion: how many conversions took that long.
with
waited as (
    select
        journey.conversions,
        least(
            (epoch_us(journey.ended_at) - min(epoch_us(touch.occurred_at))) // 86400000000,
            $days - 1
        ) as day
    from journey
    inner join touchpoint as touch
        on
            touch.user_id = journey.user_id
            and touch.occurred_at >= journey.from_at
            and touch.occurred_at < journey.until_at
    where journey.conversions > 0
    group by journey.journey_id, journey.conversions, journey.ended_at
),
days as (
    select unnest(generate_series(0, $days - 1)) as day
)
select days.day, coalesce(sum(waited.conversions), 0)::bigint as conversions
from days
left join waited using (day)
group by days.day
order by days.day
