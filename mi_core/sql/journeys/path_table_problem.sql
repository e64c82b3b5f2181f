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
            when not is_count(conversions)
                then 'has ' || coalesce(conversions, 'no')
                    || ' conversions; that must be a whole number from 0 to 1e15'
            when nulls is not null and not is_count(nulls)
                then 'has ' || nulls || ' nulls; that must be a whole number from 0 to 1e15'
            when value is not null and not coalesce(abs(try_cast(value as double)) <= 1e15, false)
                then 'has the value ' || value || ', which is no number up to 1e15'
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
