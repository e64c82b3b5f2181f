-- One row per channel of people's first touchpoint before $until, null where there is none: how
-- many of them came in [$since, $until), and how many of these bought in it; the same of
-- [$previous, $since). Who only received an email or saw an ad didn't come.
with
came_by as (
    select user_id, arg_min_null(channel, (occurred_at, event_id)) as channel
    from touchpoint
    where occurred_at < $until
    group by user_id
),
came as (
    select
        user_id,
        occurred_at >= $since as is_current,
        coalesce(bool_or(etype = 'purchase'), false) as has_bought
    from lake.user_event
    where occurred_at >= $previous and occurred_at < $until
    group by all
    having bool_or(coalesce(etype, '') not in (
        'email_send', 'email_open', 'ad_impression', 'identity_enriched'
    ))
)
select
    came_by.channel,
    count(*) filter (where is_current) as people,
    count(*) filter (where is_current and has_bought) as buyers,
    count(*) filter (where not is_current) as people_before,
    count(*) filter (where not is_current and has_bought) as buyers_before
from came
left join came_by on came_by.user_id = came.user_id
group by came_by.channel
order by people desc, people_before desc, came_by.channel
