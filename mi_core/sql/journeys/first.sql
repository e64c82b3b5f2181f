-- One row per path and key in path_touch: its first touchpoint.
select *
from path_touch
qualify
    row_number() over (partition by journey_id, key order by touched_at, event_id) = 1
