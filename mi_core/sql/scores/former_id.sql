-- One row per person of whose scores before the day of $as_of some are under other ids, such as
-- until they were identified: these ids, as hashes. $last_as_of is the last scoring's; scores are
-- those of its day until there is one of a later day.
with scored as (
    select user_id
    from lake.user_score_day
    union all
    select user_id
    from lake.user_feature
    where $last_as_of::date < $as_of::date
)
select
    alias.user_id,
    list(alias.distinct_id_hash::varchar order by alias.distinct_id_hash) as former_ids
from lake.identity_alias as alias
semi join scored on scored.user_id = alias.distinct_id_hash
where alias.distinct_id_hash <> alias.user_id
group by alias.user_id
