-- One row per step of the Markov chain of order $order over the staged paths, by the names of its
-- keys, which stay the same where their numbers change: how many paths took it. A state is the last
-- keys before it, the newest first; the step leads to a key, or where `ends_as` says so to an end,
-- conversion or null.
with
named as (
    select list(key order by code) as keys
    from path_key
)
select
    list_transform(
        [0, 1, 2, 3][:$order],
        lambda place: named.keys[transition.from_state >> 15 * place & 32767]
    ) as from_keys,
    if(transition.to_state < 0, null, named.keys[transition.to_state & 32767]) as to_key,
    case transition.to_state when -1 then 'conversion' when -2 then 'null' end as ends_as,
    transition.times
from transition
cross join named
