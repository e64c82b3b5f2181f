-- One row per scoring that drawn compares with (last, week, begin), whether a person was at risk
-- then, and whether they are now: the people, and what they have spent. At risk is a known person
-- with a churn risk of $risk or more; null where they weren't known, or weren't scored.
with
pair as (
    select
        unnest([
            {'scoring': 'last', 'was_at_risk': if(was_known_last, risk_last >= $risk, null)},
            {'scoring': 'week', 'was_at_risk': if(was_known_week, risk_week >= $risk, null)},
            {'scoring': 'begin', 'was_at_risk': if(was_known, past.churn_risk >= $risk, null)}
        ], recursive := true),
        if(is_known, now.churn_risk >= $risk, null) as is_at_risk,
        spent_cents
    from drawn
)
select
    scoring,
    was_at_risk,
    is_at_risk,
    count(*) as people,
    sum(spent_cents)::bigint as spent_cents
from pair
where was_at_risk is not null or is_at_risk is not null
group by scoring, was_at_risk, is_at_risk
order by scoring, was_at_risk, is_at_risk
