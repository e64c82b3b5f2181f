-- One row per touchpoint of a path with conversions: its share under each rule. A rule's weights
-- are divided by their sum over the path, so that whatever a path lacks, its shares add up to 1.
-- $position: the shares first and last; $w: first, lead and last.
with
placed as (
    select
        step.*,
        step.position = 1 as is_first,
        step.position = step.touches as is_last,
        step.position is not distinct from max(step.position) filter (step.is_before_lead) over path
            as is_lead,
        step.position
        = coalesce(max(step.position) filter (not step.is_direct) over path, step.touches)
            as is_last_known
    from path_step as step
    semi join (from journey where conversions > 0) using (journey_id)
    window path as (partition by step.journey_id)
),
weighed as (
    select
        *,
        case
            when is_first or is_last
                then is_first::integer * $position.first + is_last::integer * $position.last
            else (1 - $position.first - $position.last) / (touches - 2)
        end as position_weight,
        case
            when is_first or is_lead or is_last
                then
                    is_first::integer * $w.first
                    + is_lead::integer * $w.lead
                    + is_last::integer * $w.last
            else
                (1 - $w.first - $w.lead - $w.last)
                / count_if(not (is_first or is_lead or is_last)) over path
        end as w_weight,
        -- Of the newest touch 1, so that an old path's weights don't vanish.
        pow(2, (min(age_us) over path - age_us) / $half_life_us) as time_weight
    from placed
    window path as (partition by journey_id)
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
    position_weight / sum(position_weight) over path as position_based,
    w_weight / sum(w_weight) over path as w_shaped,
    time_weight / sum(time_weight) over path as time_decay
from weighed
window path as (partition by journey_id)
