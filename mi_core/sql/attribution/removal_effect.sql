-- One row per channel whose removal effect was stored with the newest scoring, by the definitions
-- of config_version and from the conversions of the `days` days before as_of; one without a channel
-- where the model abstained. There are few: to look for some takes longer than to read them all.
select as_of, config_version, days, channel, removal_effect
from lake.removal_effect
