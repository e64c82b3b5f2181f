-- One row for the pull that a new one goes on from, if there is one: how far it came, and when it
-- began. Without $since that is the one that came furthest; with it, one that was to fetch from
-- $since on and was interrupted.
with run as (
    select
        run_since,
        run_until,
        pulled_at,
        max(until) as reached
    from lake.pull_window
    where $since is null or run_since = $since
    group by run_since, run_until, pulled_at
)

select reached, pulled_at, run_since
from run
-- Of an interrupted one only the last: had it been repeated whole, there would be a later one.
qualify
    row_number() over (
        order by case when $since is null then reached end desc, pulled_at desc
    ) = 1
    and ($since is null or reached < run_until)
