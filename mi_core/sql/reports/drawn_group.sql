-- One row per persona and per channel of the first touchpoint, of the known people of drawn: how
-- many have it, how many of them have a churn risk of $risk or more, and the sum of their indexes,
-- in hundredths of a point. The key is null where there is none.
with
known as (
    select
        unnest([{'kind': 'persona', 'key': persona}, {'kind': 'channel', 'key': channel}],
            recursive := true),
        now.churn_risk >= $risk as is_at_risk,
        now.index_100 as index_100
    from drawn
    where is_known and now is not null
)
select
    kind,
    key,
    count(*) as people,
    count(*) filter (where is_at_risk) as at_risk,
    sum(index_100)::bigint as index_100
from known
group by kind, key
order by kind, people desc, key
