-- One row per phase of the journey that the person in person_event has been in: since when, and
-- with how many events.
select
    phase,
    min(occurred_at) as first_at,
    count(*) as events
from person_event
where phase is not null
group by phase
order by phase
