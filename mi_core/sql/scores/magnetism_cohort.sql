-- One row per persona and window with anybody in `magnetism`: how many people, their average index,
-- and where the percentile of an index changes. A percentile is that of the last of `indexes` which
-- isn't above one's own; `people_up_to` says how many people are at or below each. It is that of
-- the scoring as of $as_of.
with
placed as (
    select
        persona_score.persona,
        magnetism.time_window,
        magnetism.magnetism_index,
        count(*) over cohort as people,
        count(*) over (cohort order by magnetism.magnetism_index) as people_up_to
    from magnetism
    inner join persona_score using (user_id)
    window cohort as (partition by persona_score.persona, magnetism.time_window)
),
step as (
    select
        persona,
        time_window,
        any_value(people) as people,
        min(magnetism_index) as magnetism_index,
        min(people_up_to) as people_up_to,
        -- As steady_sum, in parts.
        sum(round(magnetism_index * 1e12)::hugeint) as index_sum
    from placed
    group by persona, time_window, floor(100 * people_up_to / people + 0.5)
)
select
    persona,
    time_window,
    any_value(people) as people,
    sum(index_sum)::double / 1e12 / any_value(people) as average,
    list(magnetism_index order by magnetism_index) as indexes,
    list(people_up_to order by magnetism_index) as people_up_to,
    cast($as_of as timestamp) as as_of,
    cast($config_version as varchar) as config_version,
    $snapshot::bigint as lake_snapshot
from step
group by persona, time_window
