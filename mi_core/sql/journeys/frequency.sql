-- The touchpoints of path_touch; of each key in a path only the first, with how often it came, as
-- in "email(2)".
select * replace (key || '(' || count(*) over (partition by journey_id, key) || ')' as key)
from path_touch
qualify
    row_number() over (partition by journey_id, key order by touched_at, event_id) = 1
