-- One row per touchpoint of path_touch that is the last of a run of one key.
select *
from path_touch
qualify
    key is distinct from lead(key) over (
        partition by journey_id
        order by touched_at, event_id
    )
