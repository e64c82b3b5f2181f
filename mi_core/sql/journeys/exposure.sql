-- The touchpoints of path_touch; of a run of one key only the last.
select *
from path_touch
qualify
    key is distinct from lead(key) over (
        partition by journey_id
        order by touched_at, event_id
    )
