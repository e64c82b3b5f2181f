-- One row per group of people and key: the conversions, and their value, that each rule gives it.
select
    journey.person_group,
    credit.code,
    steady_sum(credit.first_touch * journey.conversions) as first_touch,
    steady_sum(credit.first_touch * journey.value) as first_touch_value,
    steady_sum(credit.last_touch * journey.conversions) as last_touch,
    steady_sum(credit.last_touch * journey.value) as last_touch_value,
    steady_sum(credit.last_non_direct * journey.conversions) as last_non_direct,
    steady_sum(credit.last_non_direct * journey.value) as last_non_direct_value,
    steady_sum(credit.linear * journey.conversions) as linear,
    steady_sum(credit.linear * journey.value) as linear_value,
    steady_sum(credit.position_based * journey.conversions) as position_based,
    steady_sum(credit.position_based * journey.value) as position_based_value,
    steady_sum(credit.w_shaped * journey.conversions) as w_shaped,
    steady_sum(credit.w_shaped * journey.value) as w_shaped_value,
    steady_sum(credit.time_decay * journey.conversions) as time_decay,
    steady_sum(credit.time_decay * journey.value) as time_decay_value
from touch_credit as credit
inner join journey using (journey_id)
group by journey.person_group, credit.code
