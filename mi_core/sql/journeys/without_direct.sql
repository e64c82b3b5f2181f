-- One row per touchpoint of path_touch that isn't direct; of a path that has no others, all.
select *
from path_touch
qualify not is_direct or bool_and(is_direct) over (partition by journey_id)
