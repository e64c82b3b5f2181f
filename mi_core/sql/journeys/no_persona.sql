-- One row per person whose persona is known: none, where paths aren't counted by it.
select null::uuid as user_id, null::varchar as slug
limit 0
