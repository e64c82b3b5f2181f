-- One row per magnetism band of $bands, in their order: the people of magnetism_now in it, the sums
-- of their index (in millionths) and churn risk, and how many have a churn risk of $risk or more. A
-- band with nobody has a row of zeros.
with
bands as (
    select unnest($bands)::varchar as band, generate_subscripts($bands, 1) as position
),
counted as (
    select
        band,
        count(*) as people,
        sum(floor(1000000 * magnetism_index + 0.5)::bigint) as index_micro,
        sum(churn_risk) as churn_risk,
        count(*) filter (where churn_risk >= $risk) as at_risk
    from magnetism_now
    group by band
)
select
    bands.band,
    coalesce(counted.people, 0) as people,
    coalesce(counted.index_micro, 0)::bigint as index_micro,
    coalesce(counted.churn_risk, 0)::bigint as churn_risk,
    coalesce(counted.at_risk, 0) as at_risk
from bands
left join counted using (band)
order by bands.position
