-- One row per persona then and now, of the people in person_then or person_now: how many. Null is
-- who wasn't there then, or isn't now.
select
    person_then.persona as persona_then,
    person_now.persona as persona_now,
    count(*) as people
from person_now
full join person_then using (user_id)
group by all
order by people desc, persona_then nulls last, persona_now nulls last
