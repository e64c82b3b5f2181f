-- One row per thing worth telling about the staged rows: its kind, its name, how many times.
with name as (
    select 'dropped' as kind, unnest(dropped) as name
    from staged

    union all by name

    select 'screened' as kind, unnest(screened) as name
    from staged

    union all by name

    select 'rejected' as kind, reason as name
    from staged
    where reason <> $withheld

    union all by name

    select 'withheld' as kind, reason as name
    from staged
    where reason = $withheld

    union all by name

    select 'unknown' as kind, event_name as name
    from staged
    anti join taxonomy using (event_name)
    where reason is null
)

select kind, name, count(*) as times
from name
group by kind, name
order by kind, times desc, name
