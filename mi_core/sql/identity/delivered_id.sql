-- One row per distinct id in the staged events: when it was first seen there. An id that is only
-- named by a link, such as an anonymous id whose own events are still on their way, counts too.
select id_hash as distinct_id_hash, min(occurred_at) as first_seen_at
from (
    select distinct_id_hash as id_hash, occurred_at from staged where reason is null
    union all
    select linked_hash as id_hash, occurred_at from staged where linked_hash is not null
)
group by id_hash
