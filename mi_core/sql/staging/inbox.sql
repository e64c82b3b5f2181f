-- One row per event in the inbox after number $after, up to $most of them, as staged rows.
select
    0 as file_no,
    i.seq as row_no,
    null::varchar as reason,
    unnest(from_json(i.body, '{
        "source": "varchar",
        "event_id": "uuid",
        "event_name": "varchar",
        "distinct_id_hash": "uuid",
        "old_distinct_id_hash": "uuid",
        "person_hash": "uuid",
        "linked_hash": "uuid",
        "old_linked_hash": "uuid",
        "occurred_at": "timestamp",
        "received_at": "timestamp",
        "session_id": "varchar",
        "properties": "varchar",
        "experiments": "varchar"
    }'))
from (
    select seq, body
    from state.inbox
    where seq > $after
    order by seq
    limit $most
) as i
