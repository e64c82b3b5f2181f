-- One row per ten points of churn risk, all ten: the people of magnetism_now in it. A full risk of
-- 100 belongs to the last step.
with
steps as (
    select unnest(generate_series(0, 90, 10))::integer as risk_from
),
counted as (
    select least(churn_risk // 10 * 10, 90)::integer as risk_from, count(*) as people
    from magnetism_now
    group by risk_from
)
select steps.risk_from, coalesce(counted.people, 0) as people
from steps
left join counted using (risk_from)
order by steps.risk_from
