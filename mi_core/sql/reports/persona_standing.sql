-- One row per persona, all of them in their order: the people of person_now whom it describes, how
-- close they are to buying, how many are warm or hot, ready to buy or at risk, and how surely it is
-- theirs.
with
counted as (
    select
        persona,
        count(*) as people,
        median(score) as median_intent,
        count(*) filter (where level in ('high', 'very_high')) as high_intent,
        count(*) filter (where band in ('warm', 'hot')) as drawn,
        count(*) filter (where is_ready) as ready,
        count(*) filter (where is_at_risk) as at_risk,
        median(churn_risk) as median_risk,
        median(confidence) as median_confidence
    from person_now
    group by persona
)
select
    bucket.position,
    bucket.slug as persona,
    bucket.label,
    coalesce(counted.people, 0) as people,
    counted.people / nullif(sum(counted.people) over (), 0) as share,
    counted.median_intent,
    coalesce(counted.high_intent, 0) as high_intent,
    coalesce(counted.drawn, 0) as drawn,
    coalesce(counted.ready, 0) as ready,
    coalesce(counted.at_risk, 0) as at_risk,
    counted.median_risk,
    counted.median_confidence
from persona as bucket
left join counted on counted.persona = bucket.slug
order by bucket.position
