-- One row per event in the lake that opened its session until an earlier one came: what it is now.
select
    u.event_id,
    u.user_id,
    t.etype,
    case when u.channel <> 'direct' then u.channel end as channel
from lake.user_event as u
join session_first as first on first.session_id = u.session_id and first.event_id <> u.event_id
join taxonomy as t on t.event_name = u.event_name
where
    t.session_first_etype is not null
    and u.etype is distinct from t.etype
    and u.occurred_at between $since and $until
