-- One row: what is known to have been spent on campaigns, in cents, and of how many days, in
-- [$since, $until) and in [$previous, $since).
select
    coalesce(sum(cents) filter (where spend_date >= $since::timestamp), 0)::bigint as cents,
    count(distinct spend_date) filter (where spend_date >= $since::timestamp) as days,
    coalesce(sum(cents) filter (where spend_date < $since::timestamp), 0)::bigint as cents_before,
    count(distinct spend_date) filter (where spend_date < $since::timestamp) as days_before
from lake.campaign_spend
where spend_date >= $previous::timestamp and spend_date < $until::timestamp
