-- One row per row of spend_row that names the day, channel and campaign of an earlier one.
select
    file_no,
    row_no,
    first(file_no) over earliest as first_file_no,
    first(row_no) over earliest as first_row_no,
    spend_date,
    channel,
    campaign_id
from spend_row
window earliest as (partition by spend_date, channel, campaign_id order by file_no, row_no)
qualify row_number() over earliest > 1
