-- One row per workspace: what it holds, what the taxonomy doesn't know, how fresh its scores are.
with
held as (
    select
        count(*) as events,
        count(distinct user_id) as people,
        max(occurred_at) as last_event_at,
        count(*) filter (where taxonomy.event_name is null) as unknown_events
    from lake.user_event
    left join taxonomy using (event_name)
),
waiting as (
    select count(*) as waiting_events
    from state.inbox
    where seq > coalesce((select max(last_seq) from lake.ingest_watermark), 0)
),
scored as (
    select
        max(as_of) as scored_as_of,
        arg_max(config_version, (as_of, lake_snapshot)) as scored_config
    from lake.score_run
)
select held.*, waiting.*, scored.*
from held, waiting, scored
