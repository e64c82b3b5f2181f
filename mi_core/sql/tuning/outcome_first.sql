-- One row per person known before $as_of: whether they took the step $step, `trial` or `purchase`,
-- for the first time in the $horizon_days days from $as_of on; null for who had taken it before.
with
step as (
    select
        user_id,
        if($step = 'trial', trial_started_at, purchased_at) as taken_at
    from lake.user_milestone
    where first_event_at < $as_of::timestamp
)
select
    user_id,
    if(
        taken_at < $as_of::timestamp,
        null,
        coalesce(taken_at < $as_of::timestamp + to_days($horizon_days::integer), false)
    ) as outcome
from step
