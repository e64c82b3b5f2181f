-- One row per event name with a set of property names met in raw_event: which of the properties may
-- be stored, and how, and which are dropped. There are few of these, however many rows there are.
with met as (
    select distinct event, names_of(properties) as names
    from raw_event
),

named as (
    select event, names, unnest(names) as source_name
    from met
),

sorted_out as (
    select
        n.event,
        n.names,
        list({'source': w.source_name, 'key': w.stored_name, 'rule': w.rule, 'pattern': w.pattern})
            filter (where w.source_name is not null) as listed,
        list(n.source_name) filter (where regexp_matches(n.source_name, $experiment)) as assigned,
        list(n.source_name) filter (
            where w.source_name is null
            and not regexp_matches(n.source_name, $experiment)
            and not list_contains($not_properties, n.source_name)
        ) as dropped,
        bool_or(w.rule <> 'keep' or w.source_name <> w.stored_name) as is_reworked,
        count(*) = count(distinct n.source_name) as is_unique
    from named as n
    left join property_whitelist as w on w.source_name = n.source_name
    group by n.event, n.names
)

select
    m.event,
    m.names,
    case
        when nullif(trim(m.event), '') is null then 'event name is missing'
        when len(m.event) > 200 or regexp_matches(m.event, $personal)
            then 'event name is too long or looks like personal data'
        when m.names is null or not coalesce(s.is_unique, true)
            then 'properties are not a JSON object with unique names'
    end as reason,
    coalesce(s.listed, []) as listed,
    s.assigned,
    list_transform(
        s.dropped,
        lambda name: case when regexp_matches(name, $personal) then '(personal)' else name end
    ) as dropped,
    coalesce(s.is_reworked, false) as is_reworked
from met as m
left join sorted_out as s on s.event = m.event and s.names = m.names
