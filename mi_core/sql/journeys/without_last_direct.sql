-- One row per touchpoint of path_touch, without the direct ones that a path ends with; of a path
-- that has no others, all.
select *
from path_touch
qualify
    not bool_and(is_direct) over (
        partition by journey_id
        order by touched_at desc, event_id desc
        rows between unbounded preceding and current row
    )
    or bool_and(is_direct) over (partition by journey_id)
