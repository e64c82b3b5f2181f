-- One row per kind of error: how many leads in lead last heard of in [$since, $until) have it, how
-- many calls made then ended so, and when last; the $most frequent ones.
--
-- A lead has the errors of its calls, each after the names of its step and provider, in one text.
-- Without those, and without codes in brackets, errors of a kind are one.
with
lead_error as (
    select
        lead_id,
        last_at,
        regexp_replace(unnest(string_split(error, '; ')), '^(\w+ by )?[a-z_]+: ', '') as error
    from lead
    where
        error is not null
        and status in ('completed', 'failed', 'failed_permanent')
        and last_at >= $since::timestamp
        and last_at < $until::timestamp
),
call_error as (
    select
        call_id,
        called_at as last_at,
        coalesce(error, status) as error
    from state.enrichment_call
    where
        status not in ('ok', 'reserved')
        and called_at >= $since::timestamp
        and called_at < $until::timestamp
),
each_error as (
    from lead_error
    union all by name
    from call_error
)
select
    left(rtrim(regexp_replace(error, ' \([^)]*\)', '', 'g'), '.'), 120) as kind,
    count(distinct lead_id) as leads,
    count(call_id) as calls,
    max(last_at) as last_at
from each_error
group by kind
order by leads desc, calls desc, kind
limit $most
