-- One row per person of whose scores before the day of $as_of some are under other ids, such as
-- until they were identified: these ids, as hashes.
with scored as (
    select user_id
    from lake.user_score_day
    union
    select user_id
    from lake.mv_person
    where as_of::date < $as_of::date
)
select
    alias.user_id,
    list(alias.distinct_id_hash order by alias.distinct_id_hash) as former_ids
from lake.identity_alias as alias
semi join scored on scored.user_id = alias.distinct_id_hash
where alias.distinct_id_hash <> alias.user_id
group by alias.user_id
