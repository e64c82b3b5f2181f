-- One row per row of spend_raw: the day, channel, campaign and amount that it names, and in `fault`
-- the first of them that can't be taken, with what stands there in `said`. Amounts are read as
-- decimals, so that half a cent goes up, whatever a binary fraction makes of it.
with
trimmed as (
    select
        file_no,
        row_no,
        nullif(trim(day), '') as day,
        nullif(trim(channel), '') as channel,
        nullif(trim(campaign), '') as campaign_id,
        nullif(trim(amount), '') as amount,
        is_cents
    from spend_raw
),
parsed as (
    select
        *,
        case
            -- A date, or the midnight that it begins with.
            when regexp_full_match(day, '[0-9-]{10}([ T]00:00:00([.]0+)?(Z|[+]00(:?00)?)?)?')
                then try_cast(left(day, 10) as date)
        end as spend_date,
        case
            when regexp_full_match(amount, '([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?')
                then
                    if(
                        is_cents,
                        try_cast(amount as decimal(38, 20)),
                        try_cast(amount as decimal(15, 2)) * 100
                    )
        end as cents
    from trimmed
),
judged as (
    select
        *,
        case
            when spend_date between '2000-01-01' and '2099-12-31' is not true then 'date'
            when channel in (select channel from channel) is not true then 'channel'
            when regexp_matches(campaign_id, $personal) then 'campaign'
            when (cents <= $most_cents and cents = floor(cents)) is not true then 'amount'
        end as fault
    from parsed
)
select
    file_no,
    row_no,
    spend_date,
    channel,
    campaign_id,
    if(fault is null, cents, null)::bigint as cents,
    is_cents,
    fault,
    case fault when 'date' then day when 'channel' then channel when 'amount' then amount end
        as said
from judged
