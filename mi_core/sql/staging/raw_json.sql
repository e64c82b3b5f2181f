-- One row per JSON document in raw_json: an event as PostHog delivers it, with what is wrong with the
-- line itself. Its properties are an object, or the text of one.
select
    row_no,
    case
        when json is null then 'line is not JSON'
        when not regexp_matches(json ->> 'timestamp', '(Z|[+-]00:?00)$') then 'timestamp is not in UTC'
    end as fault,
    json ->> 'uuid' as uuid,
    json ->> 'event' as event,
    json ->> 'distinct_id' as distinct_id,
    json ->> 'person_id' as person_id,
    case json_type(json -> 'properties')
        when 'VARCHAR' then json ->> 'properties' else (json -> 'properties')::varchar
    end as properties,
    timezone('UTC', try_cast(json ->> 'timestamp' as timestamptz)) as occurred_at,
    timezone(
        'UTC', try_cast(coalesce(json ->> 'created_at', json ->> 'timestamp') as timestamptz)
    ) as received_at
from raw_json
