-- One row per magnetism band of $bands, in their order: the people of drawn in it over 30 days and
-- over 7, now and then.
with
bands as (
    select unnest($bands)::varchar as band, generate_subscripts($bands, 1) as position
),
counted as (
    select
        bands.band,
        count(*) filter (where drawn.now.band = bands.band) as people,
        count(*) filter (where drawn.now_7d.band = bands.band) as people_7d,
        count(*) filter (where drawn.past.band = bands.band) as people_then,
        count(*) filter (where drawn.past_7d.band = bands.band) as people_7d_then
    from bands
    left join drawn on true
    group by bands.band
)
select bands.position, counted.*
from bands
inner join counted on counted.band = bands.band
order by bands.position
