-- One row per touchpoint with credit for a conversion, in order of time: its share under each
-- model. channel_effect has what markov goes by.
select
    journey.conversion_id,
    journey.ended_at as converted_at,
    credit.event_id,
    credit.touched_at,
    path_key.key as channel,
    credit.first_touch,
    credit.last_touch,
    credit.last_non_direct,
    credit.linear,
    credit.position_based,
    credit.w_shaped,
    credit.time_decay,
    channel_effect.effect / nullif(sum(channel_effect.effect) over path, 0) as markov,
    1 / count(distinct credit.code) over path
    / count(*) over (partition by credit.journey_id, credit.code) as shapley
from touch_credit as credit
inner join journey using (journey_id)
inner join path_key using (code)
left join channel_effect using (key)
window path as (partition by credit.journey_id)
order by converted_at, conversion_id, touched_at, event_id
