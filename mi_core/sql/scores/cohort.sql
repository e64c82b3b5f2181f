-- One row per window of the one person in `magnetism`: how many people of the persona $persona the
-- newest scoring up to $snapshot_as_of has, how many of them are at or below this person, and their
-- average.
select
    time_window,
    count(*) as people,
    count(*) filter (other.magnetism_index <= own.magnetism_index) as at_or_below,
    avg(other.magnetism_index) as average
from lake.user_magnetism_index as other
inner join magnetism as own using (time_window)
where
    other.persona = $persona
    and other.as_of = (
        select max(as_of) from lake.score_run where as_of <= $snapshot_as_of::timestamp
    )
group by time_window
