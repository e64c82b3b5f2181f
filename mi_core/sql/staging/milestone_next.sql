-- One row per person with a new milestone row: with what the lake knew. Events only ever make a
-- first earlier and a last later, so nothing that is in the lake has to be read again.
with told as (
    from milestone_new
    union all by name
    from lake.user_milestone
    semi join milestone_new using (user_id)
)

select
    user_id,
    min(first_event_at) as first_event_at,
    min(first_visit_at) as first_visit_at,
    min(first_engagement_at) as first_engagement_at,
    min(email_captured_at) as email_captured_at,
    min(trial_started_at) as trial_started_at,
    min(purchased_at) as purchased_at,
    max(last_event_at) as last_event_at
from told
group by user_id
