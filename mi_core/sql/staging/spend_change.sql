-- One row per row of spend_row: what it is to the lake. `new`; `unchanged`, where the lake says the
-- same; `amount`, where it has another amount (`stored_cents`) for the day, channel and campaign;
-- `total` or `campaigns`, where it has the other of the two for the day and channel.
with
stored as (
    select *
    from lake.campaign_spend
    where spend_date between (select min(spend_date) from spend_row)
        and (select max(spend_date) from spend_row)
),
stored_day as (
    select
        spend_date,
        channel,
        count(campaign_id) > 0 as has_campaigns,
        count(*) > count(campaign_id) as has_total
    from stored
    group by spend_date, channel
)
select
    said.file_no,
    said.row_no,
    said.spend_date,
    said.channel,
    said.campaign_id,
    said.cents,
    stored.cents as stored_cents,
    case
        when stored.cents = said.cents then 'unchanged'
        when stored.cents is not null then 'amount'
        when said.campaign_id is null and stored_day.has_campaigns then 'campaigns'
        when said.campaign_id is not null and stored_day.has_total then 'total'
        else 'new'
    end as kind
from spend_row as said
left join stored
    on
        stored.spend_date = said.spend_date
        and stored.channel = said.channel
        and stored.campaign_id is not distinct from said.campaign_id
left join stored_day
    on stored_day.spend_date = said.spend_date and stored_day.channel = said.channel
