-- The touchpoints of path_touch, of each path only the last $max_touches.
select *
from path_touch
qualify
    row_number() over (partition by journey_id order by touched_at desc, event_id desc)
    <= $max_touches
