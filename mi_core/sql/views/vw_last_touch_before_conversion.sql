-- One row per conversion: the person's last touchpoint in the 30 days before it, nulls without one.
-- A touchpoint at the moment of the conversion is none; of two at one time the later id counts.
select
    c.event_id as conversion_id,
    c.user_id,
    c.etype as conversion_type,
    c.occurred_at as converted_at,
    c.value as conversion_value,
    max(t.occurred_at) as touched_at,
    arg_max_null(t.channel, (t.occurred_at, t.event_id)) as channel,
    arg_max_null(t.campaign_id, (t.occurred_at, t.event_id)) as campaign_id,
    arg_max_null(t.creative_id, (t.occurred_at, t.event_id)) as creative_id
from conversion as c
left join touchpoint as t
    on t.user_id = c.user_id
    and t.occurred_at < c.occurred_at
    and t.occurred_at >= c.occurred_at - interval 30 day
group by all
