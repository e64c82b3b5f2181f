-- One row per persona and source of the assignment: the people of person_now, and of how many
-- behaviour alone says the same.
select
    persona,
    source,
    count(*) as people,
    count(*) filter (where persona = rule_persona) as agreeing
from person_now
group by persona, source
order by source, persona
