-- One row per person staged by mv_person: what the scoring says of them, as one document.
with said as (
    select
        person.*,
        coalesce(former_id.former_ids, []) as former_ids
    from person
    left join former_id using (user_id)
)
select
    user_bucket,
    user_id,
    as_of,
    config_version,
    lake_snapshot,
    to_json(struct_pack(
        *columns(* exclude (user_bucket, user_id, as_of, config_version, lake_snapshot))
    )) as answer
from said
order by user_id
