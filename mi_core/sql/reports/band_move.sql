-- One row per magnetism band then and now, of the people in person_then or person_now: how many.
-- Null is who wasn't there then, or isn't now.
select
    person_then.band as band_then,
    person_now.band as band_now,
    count(*) as people
from person_now
full join person_then using (user_id)
group by all
order by people desc, band_then nulls last, band_now nulls last
