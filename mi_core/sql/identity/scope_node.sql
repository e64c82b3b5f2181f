-- One row per distinct id whose person may change: the ids that are new, newly linked or seen
-- earlier than known, and all ids of the people whom they belong to or share a PostHog person with.
with touched as (
    select from_hash as node from delivered_edge
    union
    select to_hash as node from delivered_edge
    union
    select d.distinct_id_hash as node
    from delivered_id as d
    left join lake.identity_alias as a on a.distinct_id_hash = d.distinct_id_hash
    where a.first_seen_at is null or d.first_seen_at < a.first_seen_at
),

neighbours as (
    select node from touched
    union
    select e.from_hash as node
    from lake.identity_edge as e
    join touched as t on t.node = e.to_hash
    where e.kind = 'person'
),

people as (
    select distinct a.user_id
    from lake.identity_alias as a
    join neighbours as n on n.node = a.distinct_id_hash
)

select a.distinct_id_hash as node
from lake.identity_alias as a
join people as p on p.user_id = a.user_id

union

select n.node
from neighbours as n
join delivered_id as d on d.distinct_id_hash = n.node
