-- One row per group of people and key: the conversions, and their value, that each rule gives it.
select
    journey.person_group,
    credit.code,
    sum(credit.first_touch * journey.conversions) as first_touch,
    sum(credit.first_touch * journey.value) as first_touch_value,
    sum(credit.last_touch * journey.conversions) as last_touch,
    sum(credit.last_touch * journey.value) as last_touch_value,
    sum(credit.last_non_direct * journey.conversions) as last_non_direct,
    sum(credit.last_non_direct * journey.value) as last_non_direct_value,
    sum(credit.linear * journey.conversions) as linear,
    sum(credit.linear * journey.value) as linear_value,
    sum(credit.position_based * journey.conversions) as position_based,
    sum(credit.position_based * journey.value) as position_based_value,
    sum(credit.w_shaped * journey.conversions) as w_shaped,
    sum(credit.w_shaped * journey.value) as w_shaped_value,
    sum(credit.time_decay * journey.conversions) as time_decay,
    sum(credit.time_decay * journey.value) as time_decay_value
from touch_credit as credit
inner join journey using (journey_id)
group by journey.person_group, credit.code
