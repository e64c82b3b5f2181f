-- One row per ten points of churn risk, all ten: the known people of drawn who have it now, who had
-- it then, and how many of these did nothing in the product since. A full risk of 100 belongs to
-- the last step.
with
steps as (
    select unnest(generate_series(0, 90, 10))::integer as risk_from
),
placed as (
    select
        case
            when is_known and now is not null then least(now.churn_risk // 10 * 10, 90)
        end as step,
        case
            when was_known and past is not null then least(past.churn_risk // 10 * 10, 90)
        end as step_then,
        acted_since
    from drawn
)
select
    steps.risk_from,
    count(*) filter (where placed.step = steps.risk_from) as people,
    count(*) filter (where placed.step_then = steps.risk_from) as people_then,
    count(*) filter (
        where placed.step_then = steps.risk_from and not placed.acted_since
    ) as stayed_away
from steps
left join placed on steps.risk_from in (placed.step, placed.step_then)
group by steps.risk_from
order by steps.risk_from
