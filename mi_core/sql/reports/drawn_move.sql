-- One row per magnetism band then and now, of drawn: the people who went from the one to the other.
-- A band is null where they weren't scored.
select past.band as band_then, now.band as band_now, count(*) as people
from drawn
group by all
order by all
