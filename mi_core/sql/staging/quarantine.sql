-- One row per rejected row: where it stood and why, and nothing of what it said.
select f.file_name, s.row_no, s.event_id, s.reason
from staged as s
join staged_file as f on f.file_no = s.file_no
where s.reason is not null and not list_contains($untold, s.reason)
order by s.file_no, s.row_no
