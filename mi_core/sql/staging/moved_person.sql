-- One row per person who gained or lost an id, with all of their events still to be looked at again.
select user_id from moved
union
select previous_user_id as user_id from moved
