"""The queue's statements, in the SQL that SQLite and PostgreSQL share."""

from mi_core.enrichment.steps import MISSING

STAGE = (
    "drop table if exists incoming_lead",
    "create temporary table incoming_lead (user_id varchar(36) primary key, lead_id varchar(36),"
    " status varchar(24), trigger_event varchar(64), email_hash varchar(64), email_domain text,"
    " name_hash varchar(64), email_encrypted text, for_batch integer, reopens integer,"
    " again integer, error text)",
)
INCOMING = """
insert into incoming_lead (
    user_id, lead_id, status, trigger_event, email_hash, email_domain, name_hash, email_encrypted,
    for_batch, reopens, again, error
)
values (
    :user_id, :lead_id, :status, :trigger_event, :email_hash, :email_domain, :name_hash,
    :email_encrypted, :for_batch, :reopens, :again, :error
)
"""

_IS_REOPENED = """(
    (u.status = 'failed_permanent' and i.reopens = 1)
    or (u.status = 'cancelled' and i.again = 1)
)"""
# As for a retry: what is given now, such as a name, may make them worth paying for.
_FORGET_UNPAID_STEPS = f"""
delete from enrichment_step
where
    source in ('skipped', 'rules')
    and lead_id in (
        select u.lead_id
        from user_identity as u
        join incoming_lead as i on i.user_id = u.user_id
        where u.email_hash = i.email_hash and {_IS_REOPENED}
    )
"""
_KEEP_PAID_STEPS = f"""
update user_identity as u
set
    status = i.status, trigger_event = i.trigger_event, error = i.error, tries = 0,
    next_try_at = :now, queued_at = :now, ended_at = null, name_hash = i.name_hash,
    email_encrypted = i.email_encrypted, for_batch = i.for_batch
from incoming_lead as i
where u.user_id = i.user_id and u.email_hash = i.email_hash and {_IS_REOPENED}
"""
_IS_ANOTHER = """i.status = 'pending'
    and u.status not in ('processing', 'waiting')
    and (
        coalesce(u.email_hash, '') <> i.email_hash
        or (u.status = 'completed' and u.enriched_at < :stale)
    )
"""
# What an earlier address gave is nobody's by now.
_FORGET_STEPS = f"""
delete from enrichment_step
where lead_id in (
    select u.lead_id
    from user_identity as u
    join incoming_lead as i on i.user_id = u.user_id
    where {_IS_ANOTHER}
)
"""
_REPLACE = f"""
update user_identity as u
set
    lead_id = i.lead_id, status = i.status, trigger_event = i.trigger_event, error = i.error,
    tries = 0, is_partial = 0, next_try_at = :now, queued_at = :now, ended_at = null,
    email_hash = i.email_hash, email_domain = i.email_domain, name_hash = i.name_hash,
    email_encrypted = i.email_encrypted, for_batch = i.for_batch
from incoming_lead as i
where u.user_id = i.user_id and {_IS_ANOTHER}
"""
_INSERT = """
insert into user_identity (
    user_id, lead_id, status, trigger_event, error, queued_at, next_try_at, email_hash,
    email_domain, name_hash, email_encrypted, for_batch
)
select
    i.user_id, i.lead_id, i.status, i.trigger_event, i.error, :now, :now, i.email_hash,
    i.email_domain, i.name_hash, i.email_encrypted, i.for_batch
from incoming_lead as i
where not exists (select 1 from user_identity as u where u.user_id = i.user_id)
"""
PUT = (_FORGET_UNPAID_STEPS, _KEEP_PAID_STEPS, _FORGET_STEPS, _REPLACE, _INSERT)
"""In this order; what none of them touches is left alone."""

LEAD = """
select
    user_id, lead_id, status, trigger_event as trigger, tries, queued_at, next_try_at, is_partial,
    error, email_domain, company_name, company_domain, company_industry, company_size,
    company_location, social_profiles, cost_micros, enriched_at
from user_identity
where user_id = :user_id
"""
CALLS_OF = """
select
    call_id, step, provider, model, status, cost_micros, most_micros, latency_ms, called_at, error
from enrichment_call
where lead_id = :lead_id
order by called_at, call_id
"""
BECAME = """
select
    i.user_id,
    case
        when u.queued_at = :now and u.status = 'pending' then 'queued'
        when i.status = 'failed_permanent' then 'failed_permanent'
        else u.status
    end as became
from incoming_lead as i
join user_identity as u on u.user_id = i.user_id
"""

_LOST_WORKER = "the worker died while it had the lead"

# A worker that comes back after all still writes down what its call cost.
ORPHAN_CALLS = """
update enrichment_call
set status = 'lost', error = 'the worker died before the answer was written down'
where
    status = 'reserved'
    and cost_micros is null
    and batch_key is null
    and (lead_id is not null or called_at < :long_ago)
    and not exists (
        select 1
        from user_identity as u
        where
            u.lead_id = enrichment_call.lead_id
            and u.status = 'processing'
            and u.lease_expires_at > :now
    )
"""
# Of everything that was ever asked about the person.
COST = """(
        select coalesce(sum(c.cost_micros), 0)
        from enrichment_call as c
        where c.user_id = user_identity.user_id
    )"""
BURY_EXPIRED = f"""
update user_identity
set
    status = case when is_partial = 1 then 'completed' else 'failed_permanent' end,
    email_encrypted = case when is_partial = 1 then null else email_encrypted end,
    error = coalesce(error || '; ', '') || '{_LOST_WORKER}',
    cost_micros = {COST}, next_try_at = null, ended_at = :now,
    lease_token = null, lease_expires_at = null
where status = 'processing' and lease_expires_at <= :now and tries >= :tries
"""
# The try that the dead worker made of it stays counted.
RETURN_EXPIRED = """
update user_identity
set status = 'pending', lease_token = null, lease_expires_at = null
where status = 'processing' and lease_expires_at <= :now
"""
# One of several people with one address at a time: the others take over what it finds.
LEASE = """
update user_identity
set status = 'processing', tries = tries + 1, lease_token = :token, lease_expires_at = :until
where user_id = (
    select u.user_id
    from user_identity as u
    where
        u.status in ('pending', 'failed')
        and u.next_try_at <= :now
        and (cast(:only as varchar(36)) is null or u.user_id = :only)
        and not exists (
            select 1
            from user_identity as other
            where
                other.email_hash = u.email_hash
                and other.user_id <> u.user_id
                and other.status in ('processing', 'waiting')
        )
    order by u.next_try_at, u.user_id
    limit 1{skip_locked}
)
returning
    user_id, lead_id, lease_token as token, tries, for_batch, is_partial, email_hash,
    email_domain, name_hash, email_encrypted, trigger_event as trigger
"""

TOUCH = "update user_identity set lease_token = lease_token where lease_token = :token"
GIVE_BACK = """
update user_identity
set
    status = 'pending', tries = tries - 1, next_try_at = coalesce(:due, next_try_at),
    lease_token = null, lease_expires_at = null
where lease_token = :token
"""
FAIL = """
update user_identity
set
    status = 'failed', error = :error, next_try_at = :due,
    lease_token = null, lease_expires_at = null
where lease_token = :token
"""
WAITING = """
select
    u.user_id, u.lead_id, u.tries, u.for_batch, u.is_partial, u.email_hash, u.email_domain,
    u.name_hash, u.email_encrypted, u.trigger_event as trigger
from user_identity as u
where
    u.status = 'waiting'
    and not exists (
        select 1
        from enrichment_call as c
        where c.lead_id = u.lead_id and c.batch_key is not null and c.status = 'reserved'
    )
order by u.queued_at, u.user_id
limit :most
"""
LEASE_WAITING = """
update user_identity
set status = 'processing', lease_token = :token, lease_expires_at = :until
where lead_id = :lead_id and status = 'waiting'
returning
    user_id, lead_id, lease_token as token, tries, for_batch, is_partial, email_hash,
    email_domain, name_hash, email_encrypted, trigger_event as trigger
"""
LEAVE_BATCH = """
update user_identity
set status = 'pending', for_batch = 0, tries = 0
where lead_id = :lead_id and status = 'waiting'
"""
WAIT = """
update user_identity
set status = 'waiting', lease_token = null, lease_expires_at = null
where lease_token = :token
"""
FINISH = f"""
update user_identity
set
    status = :status, is_partial = :is_partial, error = :error, next_try_at = null, ended_at = :now,
    email_encrypted = case
        when cast(:status as varchar(24)) = 'failed_permanent' then email_encrypted
    end,
    social_profiles = :social_profiles, company_name = :company_name,
    company_domain = :company_domain, company_industry = :company_industry,
    company_size = :company_size, company_location = :company_location,
    enriched_at = case
        when cast(:status as varchar(24)) = 'completed' then :now else enriched_at
    end,
    cost_micros = {COST},
    lease_token = null, lease_expires_at = null
where lease_token = :token
"""
CANCEL = f"""
update user_identity
set
    status = 'cancelled', error = null, email_encrypted = null, next_try_at = null,
    ended_at = :now,
    cost_micros = {COST},
    lease_token = null, lease_expires_at = null
where
    user_id = :user_id
    and status in ('pending', 'processing', 'waiting', 'failed', 'failed_permanent')
"""


_ONE_OR_ALL = "(cast(:user_id as varchar(36)) is null or user_id = :user_id)"
_QUEUE_AGAIN = """
update user_identity
set status = 'pending', tries = 0, next_try_at = :now, queued_at = :now, ended_at = null
"""
RETRY = f"""{_QUEUE_AGAIN}
where
    status = 'failed_permanent'
    and email_hash is not null
    and email_domain is not null
    and {_ONE_OR_ALL}
"""
# Profiles can't be looked for any more: the address is gone.
RETRY_PARTIAL = f"""{_QUEUE_AGAIN}
where
    status = 'completed'
    and is_partial = 1
    and {_ONE_OR_ALL}
    and exists (
        select 1
        from enrichment_step as s
        where
            s.lead_id = user_identity.lead_id
            and s.step <> 'social'
            and s.reason in ({", ".join(f"'{each}'" for each in sorted(MISSING))})
    )
"""
# Of those that were queued just now, what may be had this time.
FORGET_UNPAID_STEPS = """
delete from enrichment_step
where
    source in ('skipped', 'rules')
    and exists (
        select 1
        from user_identity as u
        where
            u.lead_id = enrichment_step.lead_id
            and u.status = 'pending'
            and u.queued_at = :now
            and (enrichment_step.step <> 'social' or u.email_encrypted is not null)
    )
"""
ERASE_WAITING = """
update user_identity
set email_encrypted = null
where
    status = 'failed_permanent'
    and email_encrypted is not null
    and ended_at < :before
"""
COUNT_DUE = """
select count(*) as due
from user_identity
where status in ('pending', 'failed') and next_try_at <= :now
"""
