-- One row per ten points of churn risk and whether they have bought, of the scoring $as_of: the
-- people in it. A full risk of 100 belongs to the last step.
select
    least(magnetism.churn_risk // 10 * 10, 90)::integer as risk_from,
    coalesce(milestone.purchased_at < $as_of, false) as has_bought,
    count(*) as people
from lake.user_magnetism_index as magnetism
left join lake.user_milestone as milestone using (user_id)
where magnetism.as_of = $as_of and magnetism.time_window = '30d'
group by risk_from, has_bought
order by risk_from, has_bought
