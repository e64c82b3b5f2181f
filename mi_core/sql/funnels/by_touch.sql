-- One row per person in the funnel with a touchpoint in the 30 days up to the moment at which they
-- entered: the channel or campaign ($by) of the last one; of two at one moment the later id counts.
select
    start.person,
    arg_max_null(
        if($by = 'channel', touch.channel, touch.campaign_id),
        (touch.occurred_at, touch.event_id)
    ) as breakdown
from funnel_start as start
inner join funnel_person using (person)
inner join touchpoint as touch
    on touch.user_id = funnel_person.user_id
    and touch.occurred_at <= make_timestamp(start.moment)
    and touch.occurred_at >= make_timestamp(start.moment) - interval 30 day
where
    touch.occurred_at >= $since::timestamp - interval 30 day
    and touch.occurred_at < $until::timestamp
group by start.person
