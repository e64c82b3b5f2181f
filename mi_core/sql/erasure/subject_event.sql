-- One row per event in the lake of the person in subject_id.
select event_id
from lake.analytics_events
where
    user_id in (select id_hash from subject_id)
    or distinct_id_hash in (select id_hash from subject_id)
