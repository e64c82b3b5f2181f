-- Small functions that relations share.

-- HMAC-SHA-256 of an id, first 128 bits; the pads are the key xor 0x36… and the key xor 0x5c….
create or replace temp macro keyed_hash(id, inner_pad, outer_pad) as (
    left(sha256(outer_pad || unhex(sha256(inner_pad || encode(id)))), 32)::uuid
);

-- The host of a URL or of a bare host name; null for what has none, such as '$direct' or a name.
create or replace temp macro host_of(url) as (
    nullif(lower(regexp_extract(
        url, '^(?:[a-zA-Z][a-zA-Z0-9+.-]*://)?(?:[^/@?#]*@)?([a-zA-Z0-9.-]+)(?::[0-9]+)?(?:[/?#]|$)',
        1
    )), '')
);

-- The names in a JSON object; null for what is no JSON object.
create or replace temp macro names_of(document) as (
    case when json_type(try_cast(document as json)) = 'OBJECT' then json_keys(document) end
);

-- A property's value as it may be stored, or null: 'flag' keeps that it was there, 'host' keeps the
-- host of a URL, 'keep' keeps a plain value that doesn't look personal. `personal` finds all that any
-- property may not hold; only what it finds is held against the property's own, dearer `pattern`.
create or replace temp macro storable(value, rule, personal, pattern) as (
    case
        when rule = 'flag' then 'true'::json
        when rule = 'host'
            then case
                when not regexp_matches(host_of(json_extract_string(value, '$')), personal)
                    then to_json(host_of(json_extract_string(value, '$')))
            end
        when left(value::varchar, 1) in ('{', '[') then null
        when regexp_matches(json_extract_string(value, '$'), personal)
            then case
                when not regexp_matches(json_extract_string(value, '$'), pattern) then value
            end
        else value
    end
);

-- Pairs of a name and a JSON value as one JSON object; of a name that comes twice, the first.
create or replace temp macro json_of(pairs) as (
    to_json(map_from_entries(list_transform(
        list_filter(
            pairs,
            lambda p, i: list_position(list_transform(pairs, lambda q: q.key), p.key) = i
        ),
        lambda p: {'key': p.key, 'value': p.value}
    )))::varchar
);

-- The largest of several amounts in one unit, as a whole number; null where none is above zero. What
-- is beyond all reason, or no number, is no amount: it must not stop a sum over everybody.
create or replace temp macro largest(amounts, factors) as (
    nullif(greatest(round(list_max(list_filter(
        list_transform(amounts, lambda amount, i: try_cast(amount as double) * factors[i]),
        lambda amount: amount < 1e12
    ))), 0), 0)::bigint
);

-- The shard of a person, 0-255: the leading 8 bits, so that shards are contiguous in the order of
-- user_id. A scan skips what lies in other shards; by a uuid alone it skips nothing.
create or replace temp macro bucket_of(user_id) as (('0x' || left(user_id::varchar, 2))::utinyint);

-- A sum of fractions, to 12 digits after the point. Sums of floating-point numbers differ with the
-- order of adding, which threads leave to chance; sums of whole numbers don't.
create or replace temp macro steady_sum(amount) as (
    sum(round(amount * 1e12)::hugeint)::double / 1e12
);

-- Whether a text says a whole number that a count can be.
create or replace temp macro is_count(text) as (
    coalesce(
        try_cast(text as double) between 0 and 1e15
        and try_cast(text as double) = floor(try_cast(text as double)),
        false
    )
);
