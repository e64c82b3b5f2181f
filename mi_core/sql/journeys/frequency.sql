-- One row per path and key in path_touch: its first touchpoint, with how often the key came, as in
-- "email(2)".
select * replace (key || '(' || count(*) over (partition by journey_id, key) || ')' as key)
from path_touch
qualify
    row_number() over (partition by journey_id, key order by touched_at, event_id) = 1
