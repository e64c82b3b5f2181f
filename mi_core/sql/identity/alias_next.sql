-- One row per distinct id in scope: the person that it belongs to now. A person goes by the hash of
-- an identified distinct id, the least where there are several, so that the name does not depend on
-- the order in which events arrive.
with identified as (
    select to_hash as node from lake.identity_edge where kind = 'identify'
    union
    select to_hash as node from delivered_edge where kind = 'identify'
),

members as (
    select s.node, l.label, i.node is not null as is_identified
    from scope_node as s
    join label as l on l.node = s.node
    left join identified as i on i.node = s.node
),

people as (
    select
        label,
        coalesce(min(node) filter (where is_identified), min(node)) as user_id
    from members
    group by label
)

select
    m.node as distinct_id_hash,
    p.user_id,
    known.user_id as previous_user_id,
    least(known.first_seen_at, d.first_seen_at) as first_seen_at
from members as m
join people as p on p.label = m.label
left join lake.identity_alias as known on known.distinct_id_hash = m.node
left join delivered_id as d on d.distinct_id_hash = m.node
