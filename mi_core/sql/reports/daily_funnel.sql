-- One row per UTC day before $as_of with an event of the journey: how many people took each step on
-- it, and the share of people from one step to the next; null where nobody took the earlier one.
-- Of all days, or those in $days, none of which is before $since.
with
taken as (
    select distinct
        event.occurred_at::date as day,
        event.etype,
        event.user_id
    from lake.user_event as event
    where
        event.occurred_at < $as_of::timestamp
        and event.occurred_at >= $since::timestamp
        and ($days is null or list_contains($days::date[], event.occurred_at::date))
        and event.etype in (
            'ad_click', 'landing_view', 'email_submitted', 'identity_enriched', 'trial_started',
            'purchase', 'reactivation'
        )
),
daily as (
    select
        day,
        count_if(etype = 'ad_click') as ad_clicks,
        count_if(etype = 'landing_view') as landing_views,
        count_if(etype = 'email_submitted') as emails_captured,
        count_if(etype = 'identity_enriched') as enrichments,
        count_if(etype = 'trial_started') as trials,
        count_if(etype = 'purchase') as purchases,
        count_if(etype = 'reactivation') as reactivations
    from taken
    group by day
)
select
    *,
    landing_views / nullif(ad_clicks, 0) as click_to_landing_rate,
    emails_captured / nullif(landing_views, 0) as landing_to_email_rate,
    trials / nullif(emails_captured, 0) as email_to_trial_rate,
    purchases / nullif(trials, 0) as trial_to_purchase_rate
from daily
order by day
