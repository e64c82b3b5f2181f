-- One row per hash that stands for the person whose ids or addresses are hashed in $given: all
-- their ids, their person at PostHog, and the address of their lead.
--
-- An address stands for every lead that gave it. The other way round, the address of a lead is left
-- alone where it is the id of somebody else: a lead may have given a colleague's.
with
asked as (
    select unnest($given::uuid[]) as id_hash
    union
    select user_id::uuid as id_hash
    from state.user_identity
    where email_hash in (select unnest($given::varchar[]))
),
person as (
    select distinct alias.user_id
    from lake.identity_alias as alias
    join asked on asked.id_hash = alias.distinct_id_hash
),
own as (
    select id_hash from asked
    union
    select distinct_id_hash as id_hash
    from lake.identity_alias
    semi join person using (user_id)
)
select id_hash from own
union
select edge.to_hash as id_hash
from lake.identity_edge as edge
join own on own.id_hash = edge.from_hash
where edge.kind = 'person'
union
select lead.email_hash::uuid as id_hash
from state.user_identity as lead
join own on own.id_hash = lead.user_id::uuid
where
    lead.email_hash is not null
    and lead.email_hash::uuid not in (
        select distinct_id_hash
        from lake.identity_alias
        anti join person using (user_id)
    )
