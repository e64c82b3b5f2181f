-- One row: what is spent and held on the last UTC day before $until, and in its month up to it.
with
last_day as (
    select ($until::timestamp - interval 1 microsecond)::date as day
)
select
    last_day.day,
    coalesce(sum(spent.committed_micros) filter (where spent.day::date = last_day.day), 0)::bigint
        as day_micros,
    coalesce(sum(spent.committed_micros), 0)::bigint as month_micros
from last_day
left join state.enrichment_day as spent
    on spent.day::date >= date_trunc('month', last_day.day) and spent.day::date <= last_day.day
group by last_day.day
