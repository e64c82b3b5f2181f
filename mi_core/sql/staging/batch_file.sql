-- One row per file of the delivery: what became of its rows.
select
    $batch_id as batch_id,
    f.source,
    f.file_name,
    f.file_digest,
    count(*) filter (where s.reason is null and r.row_no is null) as accepted,
    count(r.row_no) as duplicates,
    count(*) filter (where s.reason = $withheld) as withheld,
    count(*) filter (where s.reason <> $withheld) as rejected,
    min(s.occurred_at) as first_event_at,
    max(s.occurred_at) as last_event_at
from staged_file as f
join staged as s on s.file_no = f.file_no
left join repeat as r on r.file_no = s.file_no and r.row_no = s.row_no
group by f.source, f.file_name, f.file_digest, f.file_no
order by f.file_no
