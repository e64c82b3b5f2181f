-- One row per key that money was spent on in [$since, $until), with the cents; keys are channels or
-- campaigns ($by). A cost without a campaign is the channel's own, and of no campaign.
select
    if($by = 'channel', channel, campaign_id) as key,
    sum(cents)::bigint as cents
from lake.campaign_spend
where
    ($by = 'channel' or ($by = 'campaign' and campaign_id is not null))
    and spend_date::timestamp >= $since
    and spend_date::timestamp < $until
group by key
order by key
