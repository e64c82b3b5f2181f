-- One row per path, numbered by person and time: a conversion of [$since, $until), or for a person
-- with touchpoints then but no conversion, a null path that ends with the last of them. Its
-- touchpoints are those in [from_at, until_at). `person_group` spreads people over $groups groups,
-- or over fewer, so that all are of about one size.
with
in_period as (
    select event_id, user_id, occurred_at, coalesce(value, 0) as value
    from scope_conversion
    where
        occurred_at >= $since
        and occurred_at < $until
        and (
            $conversion is null
            or event_name = $conversion
            or coalesce(etype = $conversion, false)
        )
),
null_path as (
    select user_id, max(occurred_at) as ended_at
    from scope_touchpoint
    anti join in_period using (user_id)
    where $with_nulls and occurred_at >= $since and occurred_at < $until
    group by user_id
),
path as (
    select
        event_id as conversion_id,
        user_id,
        occurred_at as ended_at,
        occurred_at as until_at,
        value
    from in_period
    union all
    select null, user_id, ended_at, ended_at + interval 1 microsecond, 0
    from null_path
),
person as (
    select user_id, row_number() over (order by user_id) - 1 as number, count(*) over () as people
    from (
        select distinct user_id
        from path
    )
)
select
    row_number() over (order by path.user_id, path.ended_at, path.conversion_id) as journey_id,
    (person.number % ceil(person.people / ceil(person.people / $groups)))::integer as person_group,
    path.user_id,
    path.conversion_id,
    path.ended_at,
    path.until_at - to_microseconds($lookback_us) as from_at,
    path.until_at,
    if(
        lead.email_captured_at >= path.until_at - to_microseconds($lookback_us)
        and lead.email_captured_at < path.until_at,
        lead.email_captured_at, null
    ) as lead_at,
    (path.conversion_id is not null)::bigint as conversions,
    (path.conversion_id is null)::bigint as nulls,
    path.value::double as value
from path
inner join person using (user_id)
left join scope_lead as lead using (user_id)
