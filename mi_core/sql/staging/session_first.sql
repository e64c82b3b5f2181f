-- One row per session in the staged events: the first of those events that count as a landing when
-- they open a session, among what is staged and what the lake holds of the session already.
with candidate as (
    select s.session_id, s.occurred_at, s.event_id
    from staged as s
    join taxonomy as t on t.event_name = s.event_name
    where
        s.reason is null
        and s.session_id is not null
        and t.session_first_etype is not null

    union all by name

    select u.session_id, u.occurred_at, u.event_id
    from lake.user_event as u
    join taxonomy as t on t.event_name = u.event_name
    semi join staged as s on s.session_id = u.session_id
    where
        t.session_first_etype is not null
        and u.occurred_at between $since and $until
)

select session_id, arg_min(event_id, (occurred_at, event_id)) as event_id
from candidate
group by session_id
