-- One row per lake, so one: its newest scoring until $as_of with the version of its definitions,
-- how many hours that is ago, and whether there is anybody to score.
with run as (
    select as_of, config_version, lake_snapshot
    from lake.score_run
    where as_of <= $as_of
)
select
    max(as_of) as scored_as_of,
    arg_max(config_version, (as_of, lake_snapshot)) as config_version,
    (epoch_us($as_of::timestamp) - epoch_us(max(as_of))) / 3600e6 as hours_behind,
    exists (from lake.user_milestone where first_event_at < $as_of) as has_people
from run
