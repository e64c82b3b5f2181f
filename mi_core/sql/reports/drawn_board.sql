-- One row per known person of drawn with a churn risk of $risk or more now, $people of them, those
-- with the most to lose first: what they spent, times the risk. Of all such people: how many there
-- are, how many of them are ready to buy, have an address, and have spent anything, and how much.
-- Whether a person was at risk is a week ago.
with
at_risk as (
    select
        *,
        row_number() over (
            order by
                spent_cents * now.churn_risk desc, now.churn_risk desc, purchases desc,
                last_here_at desc, user_id
        ) as position
    from drawn
    where is_known and now.churn_risk >= $risk
)
select
    position,
    count(*) over () as listed,
    count(*) filter (where is_ready) over () as ready,
    count(*) filter (where has_address) over () as with_address,
    count(*) filter (where spent_cents > 0) over () as with_revenue,
    sum(spent_cents) over ()::bigint as all_cents,
    user_id,
    persona,
    channel,
    purchases,
    spent_cents,
    last_here_at,
    now.churn_risk as churn_risk,
    now.index_100 as index_100,
    past.index_100 as index_100_then,
    now.recommendations as recommendations,
    is_ready,
    coalesce(was_known_week and risk_week >= $risk, false) as was_at_risk
from at_risk
qualify position <= $people
order by position
