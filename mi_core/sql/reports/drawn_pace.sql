-- One row per pace now and then, of drawn: the people. Weaker is an index over 7 days of $points
-- points or more below that over 30, stronger one as far above it, else alike; null where there
-- aren't both.
with
apart as (
    select
        now_7d.index_100 - now.index_100 as now_apart,
        past_7d.index_100 - past.index_100 as then_apart
    from drawn
)
select
    case
        when now_apart <= -100 * $points then 'weaker'
        when now_apart >= 100 * $points then 'stronger'
        when now_apart is not null then 'alike'
    end as pace,
    case
        when then_apart <= -100 * $points then 'weaker'
        when then_apart >= 100 * $points then 'stronger'
        when then_apart is not null then 'alike'
    end as pace_then,
    count(*) as people
from apart
group by all
order by all
