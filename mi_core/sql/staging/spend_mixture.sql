-- One row per day and channel of which spend_row has the total and campaigns: the first of each.
select
    spend_date,
    channel,
    min({'file_no': file_no, 'row_no': row_no}) filter (campaign_id is null) as total_at,
    min({'file_no': file_no, 'row_no': row_no}) filter (campaign_id is not null) as campaign_at
from spend_row
group by spend_date, channel
having count(*) > count(campaign_id) and count(campaign_id) > 0
