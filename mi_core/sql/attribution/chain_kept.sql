-- One row, if any: what the stored steps of the chain are of, and whether the lake still knows how
-- it was then.
select
    kept.as_of,
    kept.config_version,
    kept.days,
    kept.lake_snapshot,
    exists(
        select 1
        from lake.snapshots() as snapshot
        where snapshot.snapshot_id = kept.lake_snapshot
    ) as has_history
from lake.chain_step as kept
limit 1
