-- One row per person and window: new features of the people in scope_person, and for everybody else
-- those of the last run, which still hold.
select *
from feature_new
union all by name
select feature.* exclude (user_bucket, former_ids)
from lake.user_feature as feature
anti join scope_person using (user_id)
-- A person who was merged into another, or erased, is known no more.
semi join lake.user_milestone using (user_id)
