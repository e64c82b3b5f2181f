"""The ledger's statements, in the SQL that SQLite and PostgreSQL share.

A call whose `cost_micros` is null is open: under way, or of a cost that nobody knows yet.
"""

from mi_core.enrichment.queue_sql import COST

RESERVE = """
insert into enrichment_call (
    call_id, user_id, lead_id, step, provider, model, status, most_micros, called_at
)
values (
    :call_id,
    coalesce((select u.user_id from user_identity as u where u.lead_id = :lead_id), :nobody),
    :lead_id, :step, :provider, :model, 'reserved', :most, :called_at
)
"""
RESERVE_WAITING = """
insert into enrichment_call (
    call_id, user_id, lead_id, step, provider, model, status, most_micros, batch_key, called_at
)
select
    :call_id, u.user_id, u.lead_id, 'persona', :provider, :model, 'reserved', :most, :batch_key,
    :called_at
from user_identity as u
where
    u.lead_id = :lead_id
    and u.status = 'waiting'
    and not exists (
        select 1
        from enrichment_call as c
        where c.lead_id = u.lead_id and c.batch_key is not null and c.status = 'reserved'
    )
"""
CACHED = """
insert into enrichment_call (
    call_id, user_id, lead_id, step, provider, status, most_micros, cost_micros, is_cached,
    called_at, settled_at
)
select :call_id, u.user_id, u.lead_id, :step, :provider, 'ok', 0, 0, 1, :now, :now
from user_identity as u
where u.lead_id = :lead_id
"""
COMMIT = """
insert into enrichment_day (day, committed_micros)
values (:day, :micros)
on conflict (day) do update
set committed_micros = enrichment_day.committed_micros + excluded.committed_micros
"""
COMMITTED = """
select
    coalesce(sum(case when day = :day then committed_micros end), 0) as day_micros,
    coalesce(sum(committed_micros), 0) as month_micros
from enrichment_day
where day like :month
"""
EARLIER_CALL = """
select called_at
from enrichment_call
where provider = :provider and batch_key is null and is_cached = 0
order by called_at desc
limit 1 offset :back
"""

OPEN_CALL = """
select call_id, user_id, most_micros, called_at
from enrichment_call
where call_id = :call_id and cost_micros is null
"""
TOLD = (
    "status",
    "error",
    "model",
    "input_tokens",
    "output_tokens",
    "request_id",
    "latency_ms",
)
SETTLE = """
update enrichment_call
set
    cost_micros = :cost, settled_at = :at, status = :status, error = :error,
    model = coalesce(:model, model), input_tokens = coalesce(:input_tokens, input_tokens),
    output_tokens = coalesce(:output_tokens, output_tokens),
    request_id = coalesce(:request_id, request_id),
    latency_ms = coalesce(:latency_ms, latency_ms)
where call_id = :call_id and cost_micros is null
"""
# A lead that is under way gets its cost when it ends.
COST_OF_ENDED = f"""
update user_identity
set cost_micros = {COST}
where user_id = :user_id and status in ('completed', 'failed_permanent', 'cancelled')
"""
UNKNOWN = """
select call_id, most_micros, status, error
from enrichment_call
where
    provider = :provider
    and cost_micros is null
    and called_at < :before
    and status <> 'reserved'
order by called_at
"""
HEALTH = """
select provider, failures, down_until, shut_until, paused_until, reason
from enrichment_provider
"""
OPEN = """
select provider, count(*) as open_calls, sum(most_micros) as held_micros
from enrichment_call
where cost_micros is null
group by provider
"""
PROVIDERS = "select distinct provider from enrichment_call"

PROVIDER = """
select down_until, shut_until, paused_until, reason
from enrichment_provider
where provider = :provider
"""
STAY_DOWN = """
update enrichment_provider
set down_until = :until
where provider = :provider and down_until is not null
"""
SHUT = """
insert into enrichment_provider (provider, shut_until, reason)
values (:provider, :until, :reason)
on conflict (provider) do update set shut_until = excluded.shut_until, reason = excluded.reason
"""
REOPEN = """
update enrichment_provider
set failures = 0, down_until = null, shut_until = null, paused_until = null, reason = null
where provider = :provider
"""
# The failure that makes `most` in a row trips the breaker.
FAILED = """
insert into enrichment_provider (provider, failures, down_until, reason)
values (:provider, 1, :first, :reason)
on conflict (provider) do update
set
    failures = enrichment_provider.failures + 1,
    down_until = case
        when
            enrichment_provider.failures + 1 >= :most
            and coalesce(enrichment_provider.down_until, :until) <= :until
            then :until
        else enrichment_provider.down_until
    end,
    reason = excluded.reason
"""
PAUSE = """
insert into enrichment_provider (provider, paused_until)
values (:provider, :until)
on conflict (provider) do update
set paused_until = excluded.paused_until
where coalesce(enrichment_provider.paused_until, excluded.paused_until) <= excluded.paused_until
"""
WELL = """
update enrichment_provider
set failures = 0, down_until = null, shut_until = null, reason = null
where
    provider = :provider
    and (failures > 0 or down_until is not null or shut_until is not null)
"""
