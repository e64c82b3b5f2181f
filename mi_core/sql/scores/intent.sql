-- One row per person and window: the intent score, from what `feature` says of the window. Parts of
-- the breakdown are rounded half up, the score is not; its level goes by the unrounded score.
with
part as (
    select
        user_id,
        time_window,
        signals_count,
        points_micro / 1000000 as base,
        engagement_micro / 1000000 as engagement,
        purchase_intent_micro / 1000000 as purchase_intent,
        coalesce(greatest(
            0,
            $rules.recency_max
            - (epoch_us($as_of::timestamp) - epoch_us(last_signal_at)) / 86400000000
            / $rules.recency_days_per_point
        ), 0) as recency,
        if(
            signals_count = 0,
            0,
            least($rules.frequency_max, $rules.frequency_factor * log2(greatest(1, signals_count)))
        ) as frequency,
        top_signals
    from feature
),
scored as (
    select
        *,
        least(100, base + recency + frequency)::double as score
    from part
)
select
    user_id,
    time_window,
    score,
    case
        when score < $rules.levels_below.low then 'low'
        when score < $rules.levels_below.medium then 'medium'
        when score < $rules.levels_below.high then 'high'
        else 'very_high'
    end as level,
    signals_count,
    floor(engagement + 0.5)::bigint as engagement,
    floor(purchase_intent + 0.5)::bigint as purchase_intent,
    floor(recency + 0.5)::bigint as recency,
    floor(frequency + 0.5)::bigint as frequency,
    top_signals
from scored
