-- One row per link that holds between ids in scope. An anonymous id joins the first person that
-- identified it and none after, and an id that is itself identified is no anonymous id: a shared
-- device doesn't make two people one. PostHog refuses the same merges, with a warning.
with all_edges as (
    select from_hash, to_hash, kind, min(first_seen_at) as first_seen_at
    from (
        select from_hash, to_hash, kind, first_seen_at from lake.identity_edge
        union all
        select from_hash, to_hash, kind, first_seen_at from delivered_edge
    )
    semi join scope_node as s on s.node = from_hash
    group by all
),

identified as (
    select to_hash as node from lake.identity_edge where kind = 'identify'
    union
    select to_hash as node from delivered_edge where kind = 'identify'
),

guarded as (
    select from_hash, to_hash
    from all_edges
    anti join identified as i on i.node = from_hash
    where kind in ('identify', 'alias')
    qualify row_number() over (
        partition by from_hash
        order by first_seen_at, to_hash
    ) = 1
)

select from_hash, to_hash from guarded
union
select from_hash, to_hash from all_edges where kind not in ('identify', 'alias')
