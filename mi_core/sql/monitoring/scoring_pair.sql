-- One row per lake with a scoring until $as_of: the newest, and the one to compare it with. That is
-- the last of its day nearest to $days days before, not further from there than $tolerance days;
-- null where there is none. Each with the version of its definitions.
with
last_of_day as (
    select
        max(as_of) as as_of,
        arg_max(config_version, (as_of, lake_snapshot)) as config_version
    from lake.score_run
    where as_of <= $as_of
    group by as_of::date
),
newest as (
    select *
    from last_of_day
    order by as_of desc
    limit 1
),
earlier as (
    select
        last_of_day.*,
        abs(epoch_us(newest.as_of) - epoch_us(last_of_day.as_of) - $days * 86400000000) as off_us
    from last_of_day
    cross join newest
)
select
    newest.as_of,
    newest.config_version,
    earlier.as_of as earlier,
    earlier.config_version as earlier_version
from newest
left join earlier
    on earlier.as_of < newest.as_of and earlier.off_us <= $tolerance * 86400000000
order by earlier.off_us, earlier.as_of
limit 1
