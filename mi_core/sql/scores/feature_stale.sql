-- One row per person whose stored features hold no longer: they are in scope_person, are known no
-- more, or came to have other former ids.
select user_id
from scope_person
union
select feature.user_id
from lake.user_feature as feature
anti join lake.user_milestone using (user_id)
union
select user_id
from former_id
full join (
    select user_id, any_value(former_ids) as stored_ids
    from lake.user_feature
    where len(former_ids) > 0
    group by user_id
) using (user_id)
where former_ids is distinct from stored_ids
