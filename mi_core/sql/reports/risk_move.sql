-- One row per whether people were at risk of leaving then and are now, of those in person_then or
-- person_now who can be lost: how many. Null is who wasn't there, or couldn't be lost yet.
select
    if(person_then.can_be_lost, person_then.is_at_risk, null) as was_at_risk,
    if(person_now.can_be_lost, person_now.is_at_risk, null) as is_at_risk,
    count(*) as people
from person_now
full join person_then using (user_id)
where person_then.can_be_lost or person_now.can_be_lost
group by all
order by people desc, was_at_risk nulls last, is_at_risk nulls last
