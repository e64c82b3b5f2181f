-- One row: whether an event went from the lake, or was changed, after the snapshot $since.
select count(*) > 0 as is_any
from lake.table_deletions('user_event', $since::bigint + 1, $snapshot::bigint)
