-- One row per day with a scoring in ($since, $until] and magnetism band: the people in the band at
-- the day's last scoring, and their share of all who were scored. A band with nobody has a row too.
-- $bands: the bands' names, weakest first.
with
bands as (
    select unnest($bands) as band, generate_subscripts($bands, 1) as position
),
scorings as (
    select max(as_of) as as_of
    from lake.user_magnetism_index
    semi join lake.score_run using (as_of)
    where time_window = '30d' and as_of > $since and as_of <= $until
    group by as_of::date
),
counted as (
    select as_of, band, count(*) as people
    from lake.user_magnetism_index
    semi join scorings using (as_of)
    where time_window = '30d'
    group by as_of, band
),
all_bands as (
    select scorings.as_of, bands.position, bands.band, coalesce(counted.people, 0) as people
    from scorings
    cross join bands
    left join counted using (as_of, band)
)
select
    as_of,
    position,
    band,
    people,
    people / sum(people) over (partition by as_of) as share
from all_bands
order by as_of, position
