-- One row per UTC day of the funnel: the days in funnel_new, and of the others what is stored.
select *
from funnel_new
union all by name
select *
from lake.mv_daily_funnel
where not list_contains($days::date[], day)
order by day
