-- One row per node: the least label among its own and its neighbours', and whether that is new.
with both_ways as (
    select from_hash as node, to_hash as neighbour from scope_edge
    union all
    select to_hash as node, from_hash as neighbour from scope_edge
),

offered as (
    select w.node, min(l.label) as label
    from both_ways as w
    join label as l on l.node = w.neighbour
    group by w.node
)

select
    own.node,
    least(own.label, o.label) as label,
    coalesce(o.label < own.label, false) as is_new
from label as own
left join offered as o on o.node = own.node
