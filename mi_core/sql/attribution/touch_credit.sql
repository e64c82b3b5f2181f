-- One row per touchpoint of a path with conversions: its share under each rule. A rule's weights
-- are divided by their sum over the path, so that whatever a path lacks, its shares add up to 1.
-- $position: the shares first and last; $w: first, lead and last.
with
path as (
    select
        journey_id,
        max(position) filter (not is_direct) as last_known,
        max(position) filter (is_before_lead) as lead,
        min(age_us) as newest_us
    from path_step
    semi join (from journey where conversions > 0) using (journey_id)
    group by journey_id
),
placed as (
    select
        step.*,
        step.position = 1 as is_first,
        coalesce(step.position = path.lead, false) as is_lead,
        step.position = step.touches as is_last,
        step.position = coalesce(path.last_known, step.touches) as is_last_known,
        path.lead is not null as has_lead,
        -- The touches with no place in a W: all but the first, the last and a lead between them.
        step.touches - if(step.touches > 1, 2, 1)
        - coalesce(path.lead not in (1, step.touches), false)::integer as others,
        1 - $position.first - $position.last as position_rest,
        1 - $w.first - $w.lead - $w.last as w_rest,
        -- Of the newest touch 1, so that an old path's weights don't vanish.
        pow(2, (path.newest_us - step.age_us) / $half_life_us) as time_weight
    from path_step as step
    inner join path using (journey_id)
),
decayed as (
    select journey_id, steady_sum(time_weight) as time_weights
    from placed
    group by journey_id
)
select
    journey_id,
    event_id,
    touched_at,
    code,
    is_first::integer as first_touch,
    is_last::integer as last_touch,
    is_last_known::integer as last_non_direct,
    1 / touches as linear,
    if(
        is_first or is_last,
        is_first::integer * $position.first + is_last::integer * $position.last,
        position_rest / (touches - 2)
    ) / ($position.first + $position.last + if(touches > 2, position_rest, 0)) as position_based,
    if(
        is_first or is_lead or is_last,
        is_first::integer * $w.first + is_lead::integer * $w.lead + is_last::integer * $w.last,
        w_rest / others
    ) / ($w.first + if(has_lead, $w.lead, 0) + $w.last + if(others > 0, w_rest, 0)) as w_shaped,
    time_weight / time_weights as time_decay
from placed
inner join decayed using (journey_id)
