-- One row: of the people in $people, a table such as person_now, how many there are, are ready to
-- buy, and are at risk of leaving.
select
    count(*) as people,
    count(*) filter (where is_ready) as ready,
    count(*) filter (where is_at_risk) as at_risk
from query_table($people)
