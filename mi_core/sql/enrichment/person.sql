-- One row per lead of lead_id(row_no, hashes): the person whom one of its hashed ids belongs to, or
-- else whom its newest hash will stand for.
select
    l.row_no,
    coalesce(min(a.user_id), any_value(l.hashes[1])) as user_id
from (select *, unnest(hashes) as hash from lead_id) as l
left join lake.identity_alias as a on a.distinct_id_hash = l.hash
group by l.row_no
