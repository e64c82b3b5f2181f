-- One row per row of raw_event: what may be stored of it, or why it may not be.
-- Ids become keyed hashes (HMAC-SHA-256, first 128 bits), properties are whitelisted and their
-- values screened. A row that is not accepted keeps its number, uuid and reason, and nothing else;
-- one of a person in erased_id keeps not even its uuid.
with opened as (
    select
        r.row_no,
        r.fault,
        try_cast(r.uuid as uuid) as event_id,
        nullif(trim(r.distinct_id), '') as distinct_id,
        nullif(trim(r.person_id), '') as person_id,
        r.occurred_at,
        r.received_at,
        s.* exclude (names, reason),
        s.reason as shape_reason,
        -- A map refuses repeated names, so such a document is not opened at all; nor is one of
        -- whose shape nothing is known.
        if(s.listed is not null and s.reason is null, r.properties::json, null)
            ::map (varchar, json) as props
    from raw_event as r
    left join event_shape as s
        on s.event is not distinct from r.event
        and s.names is not distinct from names_of(r.properties)
),

judged as (
    select
        *,
        keyed_hash(distinct_id, $inner_pad, $outer_pad) as distinct_id_hash,
        keyed_hash(distinct_id, $old_inner_pad, $old_outer_pad) as old_distinct_id_hash,
        keyed_hash('person:' || person_id, $inner_pad, $outer_pad) as person_hash,
        case
            when distinct_id_hash in (select id_hash from erased_id) then $erased
            when old_distinct_id_hash in (select id_hash from erased_id) then $erased
            when person_hash in (select id_hash from erased_id) then $erased
            when fault is not null then fault
            when event_id is null then 'uuid is missing or is not a UUID'
            when shape_reason is not null then shape_reason
            when distinct_id is null or list_contains($refused_ids, lower(distinct_id))
                then 'distinct_id is missing or a placeholder'
            when occurred_at is null then 'timestamp is missing or unreadable'
            when occurred_at < timestamp '2000-01-01' or received_at >= timestamp '2100-01-01'
                then 'timestamp is before 2000 or after 2100'
            when occurred_at - interval 1 day > received_at then 'timestamp is after its arrival'
            when lower(json_extract_string(props['consent_analytics'], '$')) in ('false', '0', 'no')
                then $withheld
        end as reason
    from opened
),

listed as (
    select
        *,
        reason is null as is_accepted,
        to_json(map_from_entries(
            list_transform(listed, lambda w: {'key': w.source, 'value': props[w.source]})
        ))::varchar as plain,
        json_extract_string(
            props[case
                when event in ('$create_alias', '$merge_dangerously') then 'alias'
                else '$anon_distinct_id'
            end], '$'
        ) as linked_id
    from judged
),

-- Most rows hold plain values under their own names; only the others are gone through one by one.
screened as (
    select
        *,
        case
            when is_accepted and (is_reworked or regexp_matches(plain, $suspicious))
                then list_transform(listed, lambda w: {
                    'source': w.source,
                    'key': w.key,
                    'rule': w.rule,
                    'value': storable(props[w.source], w.rule, $personal, w.pattern)
                })
        end as reworked,
        case
            when is_accepted
                then list_transform(assigned, lambda name: {
                    'key': regexp_replace(name, $experiment, ''),
                    'value': storable(props[name], 'keep', $personal, $personal)
                })
        end as variants
    from listed
)

select
    row_no,
    case when coalesce(reason <> $erased, true) then event_id end as event_id,
    reason,
    case when is_accepted then trim(event) end as event_name,
    case when is_accepted then distinct_id_hash end as distinct_id_hash,
    case when is_accepted then old_distinct_id_hash end as old_distinct_id_hash,
    case when is_accepted then person_hash end as person_hash,
    case
        when is_accepted
            and trim(linked_id) <> distinct_id
            and not list_contains($refused_ids, lower(trim(linked_id)))
            then keyed_hash(trim(linked_id), $inner_pad, $outer_pad)
    end as linked_hash,
    case
        when is_accepted and linked_id is not null
            then keyed_hash(trim(linked_id), $old_inner_pad, $old_outer_pad)
    end as old_linked_hash,
    case when is_accepted then occurred_at end as occurred_at,
    case when is_accepted then received_at end as received_at,
    case when is_accepted
        then nullif(regexp_extract(
            json_extract_string(props['$session_id'], '$'), '^[A-Za-z0-9_.:-]{1,64}$'
        ), '')
    end as session_id,
    case
        when not is_accepted then null
        when reworked is null then plain
        else json_of(list_filter(reworked, lambda p: p.value is not null))
    end as properties,
    json_of(list_filter(variants, lambda p: p.value is not null)) as experiments,
    case when is_accepted then dropped end as dropped,
    list_concat(
        list_transform(
            list_filter(reworked, lambda p: p.value is null and (
                p.rule = 'keep' or host_of(json_extract_string(props[p.source], '$')) is not null
            )),
            lambda p: p.source
        ),
        list_transform(list_filter(variants, lambda p: p.value is null), lambda p: p.key)
    ) as screened
from screened
