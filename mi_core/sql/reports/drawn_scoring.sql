-- One row: the scorings that the one of $as_of is compared with, each with the version of the
-- definitions that it was made with last; null where there is none of an earlier UTC day. `last` is
-- the one before, `week` the one nearest to a week earlier, `begin` the one nearest to $since. Of
-- several on a day it is the last: others go after some days, and the comparison with them.
with
earlier as (
    select
        max(as_of) as as_of,
        arg_max(config_version, (as_of, lake_snapshot)) as config_version
    from lake.score_run
    where as_of < $as_of::timestamp::date
    group by as_of::date
)
select
    max(as_of) as last_at,
    arg_min(as_of, abs(epoch_us(as_of) - epoch_us($as_of::timestamp - interval 7 day))) as week_at,
    arg_min(as_of, abs(epoch_us(as_of) - epoch_us($since::timestamp))) as begin_at,
    arg_max(config_version, as_of) as last_version,
    arg_min(config_version, abs(epoch_us(as_of) - epoch_us($as_of::timestamp - interval 7 day)))
        as week_version,
    arg_min(config_version, abs(epoch_us(as_of) - epoch_us($since::timestamp))) as begin_version
from earlier
