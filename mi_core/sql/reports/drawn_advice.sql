-- One row per recommendation that anybody of drawn has now, the most people first: how many have
-- it, how many of them left an address, how many are at risk (known, with a churn risk of $risk or
-- more), and how many are both.
with
each_one as (
    select
        unnest(now.recommendations) as code,
        has_address,
        is_known and now.churn_risk >= $risk as is_at_risk
    from drawn
)
select
    code,
    count(*) as people,
    count(*) filter (where has_address) as with_address,
    count(*) filter (where is_at_risk) as at_risk,
    count(*) filter (where is_at_risk and has_address) as at_risk_with_address
from each_one
group by code
order by people desc, code
