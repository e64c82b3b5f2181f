-- One row per event in the inbox of the person in subject_id, or of somebody whom it links to them.
with
event as (
    select
        seq,
        body,
        [
            try_cast(body ->> 'distinct_id_hash' as uuid),
            try_cast(body ->> 'old_distinct_id_hash' as uuid),
            try_cast(body ->> 'person_hash' as uuid)
        ] as own_hashes,
        [
            try_cast(body ->> 'linked_hash' as uuid),
            try_cast(body ->> 'old_linked_hash' as uuid)
        ] as linked_hashes
    from state.inbox
),
subject as (
    select list(id_hash) as hashes from subject_id
)
select
    event.seq,
    event.body,
    list_has_any(event.own_hashes, subject.hashes) as is_own
from event, subject
where list_has_any(event.own_hashes || event.linked_hashes, subject.hashes)
