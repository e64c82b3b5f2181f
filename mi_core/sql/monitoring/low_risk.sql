-- One row per person of $user_ids whose churn risk over 30 days, at the scoring $as_of, is below
-- $below.
select user_id::varchar as user_id
from lake.user_magnetism_index
where
    as_of = $as_of
    and time_window = '30d'
    and churn_risk < $below
    and user_id in (select unnest($user_ids::uuid[]))
order by user_id
