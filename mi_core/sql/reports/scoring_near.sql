-- One row, or none: the scoring nearest to $since, of those up to $latest, and the definitions that
-- it was made with last. Of several on a day it is the last, which is kept.
with
last_of_day as (
    select max(as_of) as as_of
    from lake.score_run
    where as_of <= $latest
    group by as_of::date
)
select
    score_run.as_of,
    arg_max(score_run.config_version, (score_run.as_of, score_run.lake_snapshot)) as config_version
from lake.score_run
semi join last_of_day using (as_of)
group by score_run.as_of
order by abs(epoch_us(score_run.as_of) - epoch_us($since::timestamp)), score_run.as_of
limit 1
