-- One row per event in the lake of the people who are looked at again.
select u.*
from lake.user_event as u
semi join reviewed_person as p on p.user_id = u.user_id
