-- One row per tenth of confidence, 0 to 9, and source of the assignment: the people of person_now
-- in it. A full confidence of 1 belongs to the last tenth.
select
    least(floor(round(confidence * 10, 6)), 9)::integer as tenth,
    source,
    count(*) as people
from person_now
where confidence is not null
group by all
order by tenth, source
