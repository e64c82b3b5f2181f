-- One row per person $user_id whom the newest scoring has: all that it says of them. The bucket
-- lets a scan skip the rows of others.
select *
from lake.mv_person
where user_bucket = bucket_of($user_id::uuid) and user_id = $user_id::uuid
