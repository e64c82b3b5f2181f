-- One row per link between ids that the staged events tell of and the lake doesn't know as early.
-- 'person': PostHog's own resolution; 'identify', 'alias', 'merge': the events of those names;
-- 'rotation': the same id under the key before the newest.
with hashed_anew as (
    select old_distinct_id_hash as old_hash, distinct_id_hash as new_hash, occurred_at
    from staged
    union all
    select old_linked_hash as old_hash, linked_hash as new_hash, occurred_at
    from staged
    where linked_hash is not null
),

told as (
    select distinct_id_hash as from_hash, person_hash as to_hash, 'person' as kind, occurred_at
    from staged
    where reason is null and person_hash is not null

    union all by name

    select
        linked_hash as from_hash,
        distinct_id_hash as to_hash,
        case event_name
            when '$create_alias' then 'alias' when '$merge_dangerously' then 'merge' else 'identify'
        end as kind,
        occurred_at
    from staged
    where reason is null and linked_hash is not null

    union all by name

    select old_hash as from_hash, new_hash as to_hash, 'rotation' as kind, occurred_at
    from hashed_anew
    where
        old_hash in (select distinct_id_hash from lake.identity_alias)
        or old_hash in (select distinct_id_hash from delivered_id)
),

earliest as (
    select from_hash, to_hash, kind, min(occurred_at) as first_seen_at
    from told
    group by all
)

select e.from_hash, e.to_hash, e.kind, e.first_seen_at
from earliest as e
left join lake.identity_edge as known using (from_hash, to_hash, kind)
where known.first_seen_at is null or e.first_seen_at < known.first_seen_at
