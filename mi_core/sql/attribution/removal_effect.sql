-- One row per channel whose removal effect was stored with the scores of $as_of, by the definitions
-- of $config_version and from the conversions of $days days; one without a channel where the model
-- abstained.
select channel, removal_effect
from lake.removal_effect
where
    as_of = $as_of::timestamp
    and config_version = $config_version
    and days = $days
