-- One row per person in the funnel: their persona, null where it isn't known.
select funnel_person.person, known_persona.slug as breakdown
from funnel_person
left join known_persona using (user_id)
