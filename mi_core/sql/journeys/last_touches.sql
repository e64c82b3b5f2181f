-- One row per touchpoint of path_touch that is among the last $max_touches of its path.
select *
from path_touch
qualify
    row_number() over (partition by journey_id order by touched_at desc, event_id desc)
    <= $max_touches
