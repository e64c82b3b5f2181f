-- One row per person: the newest magnetism index of the window $time_window.
select
    user_id,
    cast($as_of as timestamp) as as_of,
    magnetism_index,
    band,
    risk_level,
    churn_risk,
    recommendations
from magnetism
where time_window = $time_window
