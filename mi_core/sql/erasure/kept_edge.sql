-- One row per person who identified themselves on a device of the person in subject_id: that they
-- are identified, which the edge to go told, as an edge to themselves.
select
    to_hash as from_hash,
    to_hash,
    kind,
    min(first_seen_at) as first_seen_at
from lake.identity_edge as edge
where
    kind = 'identify'
    and from_hash in (select id_hash from subject_id)
    and to_hash not in (select id_hash from subject_id)
    and not exists (
        select 1
        from lake.identity_edge as known
        where known.from_hash = edge.to_hash and known.to_hash = edge.to_hash
    )
group by to_hash, kind
