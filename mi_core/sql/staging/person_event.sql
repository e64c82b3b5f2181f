-- One row per event in the lake of the people in the table $people.
select u.*
from lake.user_event as u
semi join query_table($people) as p on p.user_id = u.user_id
