-- One row: of the people in $people, a table such as person_now, how many there are, are ready to
-- buy, are at risk of leaving, and are both.
select
    count(*) as people,
    count(*) filter (where is_ready) as ready,
    count(*) filter (where is_at_risk) as at_risk,
    count(*) filter (where is_ready and is_at_risk) as in_both
from query_table($people)
