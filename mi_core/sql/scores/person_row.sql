-- One row per person $user_id whom the newest scoring has: all that it says of them.
select *
from lake.mv_person
where user_id = $user_id::uuid
