-- One row per JSON document in raw_json(row_no, json, arrived_at): an event as PostHog delivers it,
-- with what is wrong with the line itself. Its properties are an object, or the text of one. It
-- arrived when it says so, but no later than it did.
with document as (
    select
        row_no,
        json,
        json -> 'properties' as properties,
        json ->> 'timestamp' as occurred,
        try_cast(json ->> 'timestamp' as timestamptz) as occurred_at,
        least(try_cast(json ->> 'created_at' as timestamptz), arrived_at) as received_at
    from raw_json
)

select
    row_no,
    case
        when json is null then 'line is not JSON'
        when occurred_at is not null and not regexp_matches(occurred, '(Z|[+-]00:?00)$')
            then 'timestamp is not in UTC'
    end as fault,
    json ->> 'uuid' as uuid,
    case when json_type(json -> 'event') = 'VARCHAR' then json ->> 'event' end as event,
    json ->> 'distinct_id' as distinct_id,
    json ->> 'person_id' as person_id,
    case json_type(properties)
        when 'VARCHAR' then properties ->> '$' else properties::varchar
    end as properties,
    timezone('UTC', occurred_at) as occurred_at,
    timezone('UTC', coalesce(received_at, occurred_at)) as received_at
from document
