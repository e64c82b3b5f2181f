-- One row per check and stretch of [$since, $until) in which its status stayed the same, as watches
-- found it.
with stretch as (
    select
        name,
        status,
        changed_at as since,
        coalesce(
            lead(changed_at) over (partition by name order by changed_at), $until::timestamp
        ) as until
    from state.alert_change
    where changed_at < $until::timestamp
)
select
    name,
    status,
    greatest(since, $since::timestamp) as since,
    until
from stretch
where until > $since::timestamp
order by name, since
