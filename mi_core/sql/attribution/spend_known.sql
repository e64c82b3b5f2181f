-- One row: of how many days of [$since, $until) a cost is known, and the cents of these that are of
-- a channel but no campaign.
select
    count(distinct spend_date) as days,
    coalesce(sum(cents) filter (where campaign_id is null), 0)::bigint as cents_without_campaign
from lake.campaign_spend
where spend_date::timestamp >= $since and spend_date::timestamp < $until
