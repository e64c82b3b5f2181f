-- One row: the sums of the squares of what each person paid, in cents, and of how often they
-- bought, in [$since, $until) and in [$previous, $since); a sum of revenue, or of purchases, is as
-- sure as they are small.
with
paid as (
    select
        user_id,
        occurred_at >= $since as is_current,
        sum(value)::double as cents,
        count(*) filter (where etype = 'purchase')::double as purchases
    from lake.user_event
    where
        occurred_at >= $previous
        and occurred_at < $until
        and etype in ('purchase', 'subscription_renewal')
    group by all
)
select
    coalesce(sum(cents * cents) filter (where is_current), 0.0) as squares,
    coalesce(sum(cents * cents) filter (where not is_current), 0.0) as squares_before,
    coalesce(sum(purchases * purchases) filter (where is_current), 0.0) as purchase_squares,
    coalesce(sum(purchases * purchases) filter (where not is_current), 0.0)
        as purchase_squares_before
from paid
