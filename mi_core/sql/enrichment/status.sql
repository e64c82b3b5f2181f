-- One row per status that leads have now, with their number.
select
    status,
    count(*) as leads
from state.user_identity
where lead_id is not null
group by status
order by status
