-- One row per event name with a set of property names met in raw_event: which of the properties may
-- be stored, and how, and which are dropped. There are few of these, however many rows there are.
with met as (
    select event, names, row_number() over () as shape
    from (select distinct event, names_of(properties) as names from raw_event)
),

property as (
    select
        shape,
        name,
        regexp_matches(name, $personal) as is_personal,
        regexp_matches(name, $experiment) as is_experiment
    from met, unnest(names) as named (name)
),

sorted_out as (
    select
        p.shape,
        list(
            {'source': w.source_name, 'key': w.stored_name, 'rule': w.rule, 'pattern': w.pattern}
            order by w.source_name
        ) filter (where w.source_name is not null) as listed,
        list(p.name order by p.name)
            filter (where p.is_experiment and not p.is_personal) as assigned,
        list(case when p.is_personal then '(personal)' else p.name end) filter (
            where w.source_name is null
            and (p.is_personal or not p.is_experiment)
            and not list_contains($not_properties, p.name)
        ) as dropped,
        bool_or(w.rule <> 'keep' or w.source_name <> w.stored_name) as is_reworked,
        count(*) = count(distinct p.name) as is_unique
    from property as p
    left join property_whitelist as w on w.source_name = p.name
    group by p.shape
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
    -- A map refuses repeated names.
    case when s.is_unique then coalesce(s.listed, []) else [] end as listed,
    s.assigned,
    s.dropped,
    coalesce(s.is_reworked, false) as is_reworked
from met as m
left join sorted_out as s on s.shape = m.shape
