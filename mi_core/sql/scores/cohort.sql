-- One row per window of the one person in `magnetism`: how many people of the persona $persona the
-- snapshot $snapshot_as_of has, how many of them are at or below this person, and their average.
select
    time_window,
    count(*) as cohort_people,
    count(*) filter (other.magnetism_index <= own.magnetism_index) as cohort_at_or_below,
    steady_sum(other.magnetism_index) / count(*) as cohort_average
from lake.user_magnetism_index as other
inner join magnetism as own using (time_window)
where other.as_of = $snapshot_as_of::timestamp and other.persona = $persona
group by time_window
