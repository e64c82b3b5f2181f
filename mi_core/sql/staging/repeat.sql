-- One row per accepted staged row whose event is there already: earlier in the same delivery, or in
-- the lake, among its events from $since until $until.
with accepted as (
    select file_no, row_no, event_id
    from staged
    where reason is null
),

several as (
    select event_id, min({'file_no': file_no, 'row_no': row_no}) as first_row
    from accepted
    group by event_id
    having count(*) > 1
)

select a.file_no, a.row_no
from accepted as a
join several as s on s.event_id = a.event_id
where {'file_no': a.file_no, 'row_no': a.row_no} <> s.first_row

union

select a.file_no, a.row_no
from accepted as a
join lake.analytics_events as known on known.event_id = a.event_id
where known.occurred_at between $since and $until
