-- One row, if any: what the stored steps of the chain are of.
select as_of, config_version, days, lake_snapshot
from lake.chain_step
limit 1
