-- One row per event of the person $user_id before $as_of, with what the taxonomy says of it. The
-- phase is that of the event, or of the type that it has as the first of its session. $etypes and
-- $phases: each type's phase. The bucket lets a scan skip the rows of others.
select
    event.event_id,
    event.user_id,
    event.user_bucket,
    event.event_name,
    event.etype,
    event.occurred_at,
    event.channel,
    event.campaign_id,
    event.duration,
    event.value,
    if(
        event.etype is not distinct from taxonomy.etype,
        taxonomy.phase,
        list_extract($phases::integer[], list_position($etypes::varchar[], event.etype))
    )::integer as phase,
    coalesce(
        taxonomy.is_touch
        and (
            taxonomy.session_first_etype is null
            or event.etype is not distinct from taxonomy.session_first_etype
        ),
        false
    ) as is_touch,
    coalesce(taxonomy.is_conversion, false) as is_conversion
from lake.user_event as event
left join taxonomy using (event_name)
where
    event.user_bucket = bucket_of($user_id::uuid)
    and event.user_id = $user_id::uuid
    and event.occurred_at < $as_of::timestamp
