-- One row per person with an act in the product in the 28 days before $as_of, as `feature` counts
-- them: whether they have none in the $horizon_days days from $as_of on.
with
stayed as (
    select distinct event.user_id
    from lake.user_event as event
    inner join taxonomy using (event_name)
    where
        taxonomy.is_engagement
        and event.occurred_at >= $as_of::timestamp
        and event.occurred_at < $as_of::timestamp + to_days($horizon_days::integer)
)
select
    feature.user_id,
    stayed.user_id is null as outcome
from feature
left join stayed using (user_id)
where feature.time_window = '30d' and feature.active_weeks > 0
