-- One row per persona and magnetism band of $bands, all of them: the people of person_now.
with
bands as (
    select unnest($bands)::varchar as band, generate_subscripts($bands, 1) as band_position
),
counted as (
    select persona as slug, band, count(*) as people
    from person_now
    group by persona, band
)
select
    bucket.slug as persona,
    bucket.label,
    bands.band,
    coalesce(counted.people, 0) as people
from persona as bucket
cross join bands
left join counted on counted.slug = bucket.slug and counted.band = bands.band
order by bucket.position, bands.band_position
