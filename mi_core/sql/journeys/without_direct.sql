-- The touchpoints of path_touch without direct ones, unless a path has no others.
select *
from path_touch
qualify not is_direct or bool_and(is_direct) over (partition by journey_id)
