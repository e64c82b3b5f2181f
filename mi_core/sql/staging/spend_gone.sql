-- One row per row of lake.campaign_spend that those of spend_change take the place of.
select stored.*
from lake.campaign_spend as stored
semi join spend_change as change
    on
        change.spend_date = stored.spend_date
        and change.channel = stored.channel
        and (
            (change.kind = 'amount' and change.campaign_id is not distinct from stored.campaign_id)
            or (change.kind = 'campaigns' and stored.campaign_id is not null)
            or (change.kind = 'total' and stored.campaign_id is null)
        )
