-- One row: of the leads in lead_found, how many there are, and for how many was found what.
select
    count(*) as leads,
    count(*) filter (where has_profile) as with_profile,
    count(*) filter (where has_company) as with_company,
    count(*) filter (where has_persona) as with_persona,
    count(*) filter (where has_profile or has_company or has_persona) as useful
from lead_found
