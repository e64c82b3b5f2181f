-- One row per conversion of the person in person_event, in their order; `value` is in the
-- currency's unit.
select
    event_id as conversion_id,
    occurred_at as converted_at,
    event_name,
    etype,
    value / 100 as value
from person_event
where is_conversion
order by converted_at, conversion_id
