"""The longer statements of the state, in the SQL that SQLite and PostgreSQL share.

Each works on a whole population at once, by way of a temporary table of what is new.
"""

STRENGTH = {"manual": 3, "ai_enrichment": 2, "behavior_analysis": 1}
"""Sources of persona assignments: a weaker one never overwrites a stronger."""

_RANK = " ".join(f"when '{source}' then {rank}" for source, rank in STRENGTH.items())

STAGE_INCOMING = (
    "drop table if exists incoming_persona",
    "create temporary table incoming_persona"
    " (user_id varchar(36) primary key, slug varchar(64), confidence double precision)",
)
INCOMING = (
    "insert into incoming_persona (user_id, slug, confidence) values (:user_id, :slug, :confidence)"
)
# Scores may have been computed before somebody was forgotten.
NOT_OF_THE_ERASED = """
delete from incoming_persona
where user_id in (select id_hash from erased_id)
"""
SUPERSEDE = f"""
update user_persona
set superseded_at = :at
where
    superseded_at is null
    and assigned_at <= :at
    and :strength >= case source {_RANK} end
    and exists (
        select 1
        from incoming_persona as i
        where
            i.user_id = user_persona.user_id
            and (
                i.slug <> user_persona.slug
                or i.confidence <> user_persona.confidence
                or user_persona.source <> :source
            )
    )
"""
ASSIGN = """
insert into user_persona (user_id, slug, confidence, source, assigned_at)
select i.user_id, i.slug, i.confidence, :source, :at
from incoming_persona as i
where not exists (
    select 1
    from user_persona as p
    where p.user_id = i.user_id and p.superseded_at is null
)
"""

STAGE_MOVES = (
    "drop table if exists person_move",
    "create temporary table person_move (old_id varchar(36) primary key, new_id varchar(36))",
)
MOVE = "insert into person_move (old_id, new_id) values (:old_id, :new_id)"

_PERSONA_RANK = f"""
create temporary table persona_rank as
select
    p.user_id,
    first_value(p.assigned_at) over best as best_assigned_at,
    row_number() over best as place
from user_persona as p
left join person_move as m on m.old_id = p.user_id
where
    p.superseded_at is null
    and (m.old_id is not null or p.user_id in (select new_id from person_move))
window best as (
    partition by coalesce(m.new_id, p.user_id)
    order by
        case p.source {_RANK} end desc,
        p.assigned_at desc,
        p.user_id
)
"""
# An assignment that gives way ends when the other began, but not before it began itself.
_PERSONA_GIVES_WAY = """
update user_persona
set superseded_at = (
    select case
        when r.best_assigned_at > user_persona.assigned_at then r.best_assigned_at
        else user_persona.assigned_at
    end
    from persona_rank as r
    where r.user_id = user_persona.user_id
)
where
    superseded_at is null
    and user_id in (select user_id from persona_rank where place > 1)
"""
# A worker that is about to end one of the leads is waited for: it counts as it is then.
_HOLD_IDENTITIES = """
update user_identity
set user_id = user_id
where
    user_id in (select old_id from person_move)
    or user_id in (select new_id from person_move)
"""
_IDENTITY_RANK = """
create temporary table identity_rank as
select
    i.user_id,
    sum(i.cost_micros) over (partition by coalesce(m.new_id, i.user_id)) as cost_micros,
    row_number() over (
        partition by coalesce(m.new_id, i.user_id)
        order by
            case when i.enriched_at is null then 1 else 0 end,
            i.enriched_at desc,
            case i.status
                when 'processing' then 1
                when 'waiting' then 2
                when 'failed' then 3
                when 'pending' then 4
                else 5
            end,
            case when i.email_encrypted is null then 1 else 0 end,
            i.user_id
    ) as place
from user_identity as i
left join person_move as m on m.old_id = i.user_id
where m.old_id is not null or i.user_id in (select new_id from person_move)
"""
_IDENTITY_COST = """
update user_identity
set cost_micros = (
    select r.cost_micros from identity_rank as r where r.user_id = user_identity.user_id
)
where user_id in (select user_id from identity_rank)
"""
_DROP_STEPS = """
delete from enrichment_step
where
    lead_id in (
        select i.lead_id
        from user_identity as i
        join identity_rank as r on r.user_id = i.user_id
        where r.place > 1
    )
"""
# Of two notices of one person the one that was sent stays, so that nobody is told of twice.
_NOTICE_GIVES_WAY = """
delete from churn_notice
where user_id in (
    select ranked.user_id
    from (
        select
            n.user_id,
            row_number() over (
                partition by coalesce(m.new_id, n.user_id)
                order by case when n.sent_at is null then 1 else 0 end, n.crossed_at, n.user_id
            ) as place
        from churn_notice as n
        left join person_move as m on m.old_id = n.user_id
        where m.old_id is not null or n.user_id in (select new_id from person_move)
    ) as ranked
    where ranked.place > 1
)
"""
_RENAME = """
update {table}
set user_id = (select m.new_id from person_move as m where m.old_id = {table}.user_id)
where user_id in (select old_id from person_move)
"""

FOLLOW_MOVES = (
    _HOLD_IDENTITIES,
    _IDENTITY_RANK,
    _IDENTITY_COST,
    _DROP_STEPS,
    "delete from user_identity"
    " where user_id in (select user_id from identity_rank where place > 1)",
    *(_RENAME.format(table=table) for table in ("user_identity", "enrichment_call")),
    _PERSONA_RANK,
    _PERSONA_GIVES_WAY,
    _RENAME.format(table="user_persona"),
    _NOTICE_GIVES_WAY,
    _RENAME.format(table="churn_notice"),
    "drop table persona_rank",
    "drop table identity_rank",
    "drop table person_move",
)
"""What follows from the rows of person_move, in this order."""
