-- One row per person and window: all that a score needs to know of their events. Everybody whose
-- first event is before $as_of has a row for every window, with zeros where nothing happened.
-- $signal_names are in descending order, as signal_sum numbers them.
with
windows as (
    select unnest($days::integer[]) as days
)
select
    person.user_id,
    windows.days || 'd' as time_window,
    coalesce(signal_sum.signals_count, 0) as signals_count,
    coalesce(signal_sum.points_micro, 0) as points_micro,
    coalesce(signal_sum.engagement_micro, 0) as engagement_micro,
    coalesce(signal_sum.purchase_intent_micro, 0) as purchase_intent_micro,
    signal_sum.last_signal_at,
    coalesce(
        list_transform(
            signal_sum.ranked,
            lambda rank: $signal_names[rank % (len($signal_names) + 1)]
        ),
        []
    ) as top_signals,
    coalesce(habit.active_days, 0)::integer as active_days,
    coalesce(habit.active_weeks, 0)::integer as active_weeks,
    len(list_filter(
        coalesce(habit.returned_at, []),
        lambda moment: moment >= $as_of::timestamp - to_days(windows.days)
    )) as reactivations,
    coalesce(contact_sum.social_returns, 0) as social_returns,
    coalesce(contact_sum.email_sends, 0) as email_sends,
    coalesce(contact_sum.email_opens, 0) as email_opens,
    coalesce(contact_sum.email_clicks, 0) as email_clicks,
    coalesce(person.trial_started_at < $as_of::timestamp, false) as trial_started,
    coalesce(person.purchased_at < $as_of::timestamp, false) as purchase_made
from scope_milestone as person
cross join windows
left join signal_sum using (user_id, days)
left join contact_sum using (user_id, days)
left join habit using (user_id)
where person.first_event_at < $as_of::timestamp
