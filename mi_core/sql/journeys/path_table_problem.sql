-- One row, if any: the first of path_row that says what can't be, and what is wrong with it.
with
broken as (
    select distinct journey_id
    from path_touch
    where coalesce(key, '') = ''
),
judged as (
    select
        journey_id,
        case
            when path is null or len(path) = 0 then 'has no path'
            when broken.journey_id is not null
                then 'has an empty place in its path: ' || array_to_string(path, ' > ')
            when conversions is null or coalesce(try_cast(conversions as double), -1) < 0
                then 'has ' || coalesce(conversions, 'no')
                    || ' conversions; that is a whole number, 0 or more'
            when try_cast(conversions as double) <> floor(try_cast(conversions as double))
                then 'has ' || conversions || ' conversions; that is a whole number, 0 or more'
            when nulls is not null and coalesce(try_cast(nulls as double), -1) < 0
                then 'has ' || nulls || ' nulls; that is a whole number, 0 or more'
            when try_cast(nulls as double) <> floor(try_cast(nulls as double))
                then 'has ' || nulls || ' nulls; that is a whole number, 0 or more'
            when value is not null and not coalesce(isfinite(try_cast(value as double)), false)
                then 'has the value ' || value || ', which is no number'
            when try_cast(conversions as double) = 0 and try_cast(value as double) <> 0
                then 'has the value ' || value || ', but no conversion'
        end as problem
    from path_row
    left join broken using (journey_id)
)
select journey_id, problem
from judged
where problem is not null
order by journey_id
limit 1
