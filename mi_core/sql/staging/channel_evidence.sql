-- One row per distinct evidence of a channel among the typed events.
select distinct evidence as evidence_id, unnest(evidence)
from typed_event
where evidence is not null
