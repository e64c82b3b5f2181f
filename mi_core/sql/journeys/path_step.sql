-- One row per touchpoint of a path, in its order: `position` of `touches`, its key's number.
select
    touch.journey_id,
    touch.event_id,
    touch.touched_at,
    path_key.code,
    touch.is_direct,
    touch.is_before_lead,
    touch.age_us,
    row_number() over path as position,
    count(*) over (partition by touch.journey_id) as touches
from path_touch as touch
inner join path_key on path_key.key = touch.key
window path as (partition by touch.journey_id order by touch.touched_at, touch.event_id)
