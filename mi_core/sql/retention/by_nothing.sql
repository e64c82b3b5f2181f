-- One row per person and breakdown: none, where nothing is broken down.
select user_id, null::varchar as breakdown, null::hugeint as held
from retention_event
limit 0
