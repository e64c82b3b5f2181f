-- One row per accepted staged row whose event is there already: in the lake, among its events from
-- $since until $until, or earlier in the same delivery. With the source that brought it first and
-- the time under which it is stored.
with accepted as (
    select file_no, row_no, event_id, source, occurred_at
    from staged
    where reason is null
),

stored as (
    select
        a.file_no,
        a.row_no,
        a.event_id,
        a.source,
        arg_min(known.source, known.occurred_at) as first_source,
        min(known.occurred_at) as occurred_at
    from accepted as a
    join lake.analytics_events as known on known.event_id = a.event_id
    where known.occurred_at between $since and $until
    group by a.file_no, a.row_no, a.event_id, a.source
),

several as (
    select
        event_id,
        min({
            'file_no': file_no, 'row_no': row_no, 'source': source, 'occurred_at': occurred_at
        }) as first_row
    from accepted
    group by event_id
    having count(*) > 1
)

from stored

union all by name

select
    a.file_no,
    a.row_no,
    a.event_id,
    a.source,
    s.first_row.source as first_source,
    s.first_row.occurred_at as occurred_at
from accepted as a
join several as s on s.event_id = a.event_id
anti join stored on stored.event_id = a.event_id
where a.file_no <> s.first_row.file_no or a.row_no <> s.first_row.row_no
