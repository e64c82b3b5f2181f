-- One row per person whose milestones may be later than the lake has them: who gained or lost an
-- id, or one of whose events opens its session no longer.
select user_id from moved
union
select previous_user_id as user_id from moved
union
select user_id from demoted
