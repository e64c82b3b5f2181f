-- One row per person whose company was known before $as_of: how many people work there.
select
    user_id::uuid as user_id,
    company_size
from state.user_identity
where company_size is not null and enriched_at < $as_of::timestamp
