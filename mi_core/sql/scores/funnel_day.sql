-- One row per UTC day on which the funnel may differ from that of the last run, at $last_as_of: an
-- event of it came, went or changed since the snapshot of that run, or lies behind its as_of.
select occurred_at::date as day
from lake.table_insertions('user_event', $last_snapshot::bigint + 1, $snapshot::bigint)
union
select occurred_at::date as day
from lake.table_deletions('user_event', $last_snapshot::bigint + 1, $snapshot::bigint)
union
select unnest(
    generate_series($last_as_of::date::timestamp, $as_of::timestamp, interval 1 day)
)::date as day
