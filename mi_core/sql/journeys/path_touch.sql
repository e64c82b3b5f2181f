-- One row per touchpoint of a path: what it is counted by ($by), and its time to the path's end.
select
    journey.journey_id,
    touch.occurred_at as touched_at,
    touch.event_id,
    coalesce(
        case $by
            when 'channel' then touch.channel
            when 'campaign' then touch.campaign_id
            when 'creative' then touch.creative_id
            when 'email' then touch.email_id
            when 'post' then touch.post_id
            when 'event' then touch.event_name
            when 'etype' then touch.etype
            when 'persona' then person.slug
        end,
        '(none)'
    ) as key,
    touch.channel is not distinct from $direct_channel as is_direct,
    epoch_us(journey.ended_at) - epoch_us(touch.occurred_at) as age_us,
    coalesce(touch.occurred_at <= journey.lead_at, false) as is_before_lead
from journey
inner join scope_touchpoint as touch
    on
        touch.user_id = journey.user_id
        and touch.occurred_at >= journey.from_at
        and touch.occurred_at < journey.until_at
left join known_persona as person on person.user_id = journey.user_id
