-- One row per touchpoint of a path, in its order: `position` of `touches`, its key's number. The
-- state before it, in a Markov chain of order $order, is the numbers of the last $order keys, of 15
-- bits each, the newest lowest; 0 is the start. It stands here since an order by time is costly.
select
    touch.journey_id,
    touch.event_id,
    touch.touched_at,
    path_key.code,
    touch.is_direct,
    touch.is_before_lead,
    touch.age_us,
    row_number() over path as position,
    count(*) over (partition by touch.journey_id) as touches,
    lag(path_key.code, 1, 0) over path
    | if($order > 1, lag(path_key.code, 2, 0) over path << 15, 0)
    | if($order > 2, lag(path_key.code, 3, 0) over path << 30, 0)
    | if($order > 3, lag(path_key.code, 4, 0) over path << 45, 0) as state_before
from path_touch as touch
inner join path_key on path_key.key = touch.key
window path as (partition by touch.journey_id order by touch.touched_at, touch.event_id)
