-- One row per accepted event: its canonical type, and what its properties say of channel, campaign,
-- duration (milliseconds) and value (cents). `evidence` is what a channel is told from, if anything.
with named as (
    select
        event_id,
        event_name,
        user_id,
        session_id,
        occurred_at,
        -- All that is looked for, in one reading: $names begins with the eleven of `typed`, then has
        -- $durations names of durations, then those of values.
        json_extract_string(properties, $names) as p,
        largest(p[12:11 + $durations], $factors[:$durations]) as duration,
        largest(p[12 + $durations:], $factors[1 + $durations:]) as value,
        case when contains(properties, '"has_')
            then list_transform(
                list_filter(
                    json_keys(properties),
                    lambda name: list_contains($click_flags, name)
                    and json_extract_string(properties, '$.' || name) = 'true'
                ),
                lambda name: name[5:]
            )
        end as click_ids
    from accepted_event
),

typed as (
    select
        n.*,
        t.channel as fixed_channel,
        coalesce(first.event_id = n.event_id, false) as is_session_first,
        case
            when first.event_id = n.event_id then t.session_first_etype else t.etype
        end as etype,
        coalesce(t.is_touch, false)
        and (t.session_first_etype is null or coalesce(first.event_id = n.event_id, false)) as is_touch
    from named as n
    left join taxonomy as t on t.event_name = n.event_name
    left join session_first as first on first.session_id = n.session_id
)

select
    event_id,
    user_id,
    event_name,
    etype,
    occurred_at,
    coalesce(p[4], p[5]) as campaign_id,
    coalesce(p[6], p[7]) as creative_id,
    case when etype in ('email_send', 'email_open', 'email_click') then p[8] end as email_id,
    case when p[10] = 'social_post' then p[9] end as post_id,
    session_id,
    duration,
    value,
    -- An ad event names its network, and is paid for, whatever tags it carries.
    case
        when
            is_touch
            or coalesce(p[1], p[2], p[3], p[11], fixed_channel) is not null
            or len(click_ids) > 0
            then {
                'utm_source': coalesce(p[1], p[11]),
                'utm_medium': coalesce(
                    p[2], case when etype in ('ad_click', 'ad_impression') then 'paid' end
                ),
                'click_ids': click_ids,
                'referrer_host': p[3],
                'fixed_channel': fixed_channel,
                'is_touch': is_touch
            }
    end as evidence
from typed
