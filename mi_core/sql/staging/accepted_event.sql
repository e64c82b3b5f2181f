-- One row per new event of one month, with its person.
select
    s.event_id,
    s.event_name,
    a.user_id,
    s.distinct_id_hash,
    s.session_id,
    s.occurred_at,
    s.received_at,
    s.properties,
    s.experiments,
    s.source
from staged as s
anti join repeat as r on r.file_no = s.file_no and r.row_no = s.row_no
join lake.identity_alias as a on a.distinct_id_hash = s.distinct_id_hash
where
    s.reason is null
    and s.occurred_at >= $month
    and s.occurred_at < $month + interval 1 month
order by a.user_id, s.occurred_at, s.event_id
