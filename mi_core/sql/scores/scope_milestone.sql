-- One row per person in scope_person that the lake knows: their milestones.
select milestone.*
from lake.user_milestone as milestone
semi join scope_person using (user_id)
