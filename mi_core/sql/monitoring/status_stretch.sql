-- One row per check and stretch of [$since, $until) in which its status stayed the same, as watches
-- found it; of the last one nothing is known after the newest watch. A status that was seen once
-- has no length.
with stretch as (
    select
        c.name,
        c.status,
        c.changed_at as since,
        least(
            coalesce(
                lead(c.changed_at) over (partition by c.name order by c.changed_at),
                greatest(a.seen_at, c.changed_at),
                c.changed_at
            ),
            $until::timestamp
        ) as until
    from state.alert_change as c
    left join state.alert as a on c.name = a.name
    where c.changed_at < $until::timestamp
)
select
    name,
    status,
    greatest(since, $since::timestamp) as since,
    until
from stretch
where until > $since::timestamp or since >= $since::timestamp
order by name, since
