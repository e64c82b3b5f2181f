-- One row per thing that may have been found for a lead of lead_found (profile, company, persona),
-- and whether it was; and one of all: how many had not begun a trial when they were enriched, how
-- many of these did within $days days; the same of a first purchase.
with
each_one as (
    select
        unnest([
            {'found': 'any', 'position': 1, 'is_found': null},
            {'found': 'profile', 'position': 2, 'is_found': lead.has_profile},
            {'found': 'company', 'position': 3, 'is_found': lead.has_company},
            {'found': 'persona', 'position': 4, 'is_found': lead.has_persona}
        ], recursive := true),
        lead.ended_at,
        milestone.trial_started_at,
        milestone.purchased_at
    from lead_found as lead
    left join lake.user_milestone as milestone on milestone.user_id = lead.user_id
)
select
    found,
    is_found,
    count(*) filter (where coalesce(trial_started_at >= ended_at, true)) as untried,
    count(*) filter (
        where trial_started_at >= ended_at and trial_started_at < ended_at + to_days($days)
    ) as tried,
    count(*) filter (where coalesce(purchased_at >= ended_at, true)) as unsold,
    count(*) filter (
        where purchased_at >= ended_at and purchased_at < ended_at + to_days($days)
    ) as bought
from each_one
group by found, position, is_found
order by position, is_found
