-- One row per distinct id that was one person's and is another's now.
select distinct_id_hash, user_id, previous_user_id
from alias_next
where previous_user_id <> user_id
