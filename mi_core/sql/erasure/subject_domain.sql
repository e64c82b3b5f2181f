-- One row per domain that a lead of the person in subject_id has, and no lead of anybody else.
with
domain as (
    select user_id, email_domain as domain from state.user_identity
    union
    select user_id, company_domain as domain from state.user_identity
)
select domain
from domain
where domain is not null
group by domain
having bool_and(user_id in (select id_hash::varchar from subject_id))
