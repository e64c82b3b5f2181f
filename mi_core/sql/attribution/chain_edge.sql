-- One row per step in chain_step, in the order of transition: its states as numbers, as there, by
-- the numbers of the keys in chain_key; and how many paths took it.
with
numbered as (
    select map(list(key), list(code)) as codes
    from chain_key
),
step as (
    select
        list_reduce(
            list_reverse(list_transform(
                step.from_keys, lambda key: coalesce(numbered.codes[key], 0)
            )),
            lambda state, code: state << 15 | code
        ) as from_state,
        numbered.codes[step.to_key] as to_code,
        step.ends_as,
        step.times
    from chain_step as step
    cross join numbered
)
select
    from_state,
    case ends_as
        when 'conversion' then -1
        when 'null' then -2
        -- The oldest key goes, the newest comes.
        else (from_state & (1::bigint << 15 * ($order - 1)) - 1) << 15 | to_code
    end as to_state,
    times
from step
order by from_state, to_state
