-- One row per event of a person who enters the funnel, as numbers; `moment` is in microseconds.
select person.person, epoch_us(event.occurred_at) as moment, event.mask
from funnel_row as event
inner join funnel_person as person using (user_id)
