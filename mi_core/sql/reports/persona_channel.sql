-- One row per persona and channel with a touchpoint in [$since, $until): how many people of
-- person_now came by it, and how many by any. Who came by several counts for each.
with
came as (
    select distinct
        person_now.persona,
        person_now.user_id,
        coalesce(touchpoint.channel, '(none)') as channel
    from touchpoint
    inner join person_now using (user_id)
    where touchpoint.occurred_at >= $since and touchpoint.occurred_at < $until
),
whole as (
    select persona, count(distinct user_id) as people_of_any
    from came
    group by persona
)
select
    came.persona,
    came.channel,
    count(*) as people,
    any_value(whole.people_of_any) as people_of_any
from came
inner join whole using (persona)
group by came.persona, came.channel
order by came.persona, people desc, came.channel
