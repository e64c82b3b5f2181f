-- One row per person whose persona is known.
select user_id, slug as breakdown, null::hugeint as held
from known_persona
