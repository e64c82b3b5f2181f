-- The lake's tables. Times are UTC, money is integer cents, people are 128-bit keyed hashes (uuid).

create table schema_version (version integer);

create table analytics_events (
    event_id uuid,           -- PostHog's uuid; unique over the table
    event_name varchar,
    user_id uuid,            -- the person, after identity stitching
    distinct_id_hash uuid,   -- the id that the event came with
    session_id varchar,
    occurred_at timestamp,
    received_at timestamp,
    properties json,         -- whitelisted and screened
    experiments json,        -- {experiment or flag: variant}
    source varchar           -- export, webhook, query
);
alter table analytics_events set partitioned by (year(occurred_at), month(occurred_at));

create table user_event (
    event_id uuid,
    user_id uuid,
    user_bucket utinyint,    -- leading 8 bits of user_id: a stable shard, contiguous in the sort order
    event_name varchar,
    etype varchar,           -- canonical type; null where the taxonomy gives none
    occurred_at timestamp,
    channel varchar,
    campaign_id varchar,
    creative_id varchar,
    email_id varchar,
    post_id varchar,
    session_id varchar,
    duration bigint,         -- milliseconds
    value bigint             -- cents
);
alter table user_event set partitioned by (year(occurred_at), month(occurred_at));
alter table user_event set sorted by (user_id, occurred_at);

create table identity_alias (
    distinct_id_hash uuid,
    user_id uuid,
    first_seen_at timestamp
);

create table identity_edge (
    from_hash uuid,          -- the anonymous or alias side; for 'person' the distinct id
    to_hash uuid,            -- the identified side; for 'person' PostHog's person
    kind varchar,            -- identify, alias, merge, person
    first_seen_at timestamp
);

create table user_milestone (
    user_id uuid,
    first_event_at timestamp,
    first_visit_at timestamp,
    first_engagement_at timestamp,
    email_captured_at timestamp,
    trial_started_at timestamp,
    purchased_at timestamp,
    last_event_at timestamp
);

create table campaign (
    campaign_id varchar,
    name varchar,
    channel varchar,
    objective varchar,
    starts_on date,
    ends_on date,
    budget_cents bigint
);

create table creative (
    creative_id varchar,
    campaign_id varchar,
    content_type varchar,
    variant varchar,
    external_ref varchar
);

create table social_post (
    post_id varchar,
    platform varchar,
    campaign_id varchar,
    published_at timestamp,
    stats json
);

create table campaign_spend (
    spend_date date,
    channel varchar,
    campaign_id varchar,
    cents bigint
);

-- What a person's events add up to at `as_of`: all that a score needs of them (scores/feature.sql).
create table user_feature (
    user_id uuid,
    as_of timestamp,
    config_version varchar,
    time_window varchar,             -- '7d' or '30d'
    signals_count bigint,
    points_micro bigint,             -- sum of points, in millionths: integers add up the same in any order
    engagement_micro bigint,
    purchase_intent_micro bigint,
    last_signal_at timestamp,
    top_signals varchar[],
    active_days integer,             -- UTC dates with an engagement event in the last 7 days
    active_weeks integer,            -- of the four 7-day blocks that end at as_of
    reactivations bigint,
    social_returns bigint,
    email_sends bigint,
    email_opens bigint,
    email_clicks bigint,
    trial_started boolean,
    purchase_made boolean
);

create table user_intent_score (
    user_id uuid,
    as_of timestamp,
    score double,
    level varchar,
    signals_count bigint,
    engagement bigint,
    purchase_intent bigint,
    recency bigint,
    frequency bigint,
    top_signals varchar[],
    persona varchar,                 -- what behaviour alone says; user_persona has the assignment in force
    persona_confidence double,
    config_version varchar,
    lake_snapshot bigint
);
alter table user_intent_score set partitioned by (year(as_of), month(as_of), day(as_of));

create table user_magnetism_index (
    user_id uuid,
    as_of timestamp,
    time_window varchar,             -- '7d' or '30d'
    magnetism_index double,
    band varchar,
    risk_level varchar,
    intent bigint,                   -- the five components, rounded points
    engagement bigint,
    reactivation bigint,
    email_ctr bigint,
    social_returns bigint,
    churn_risk bigint,
    recommendations varchar[],
    persona varchar,                 -- as in user_intent_score: the cohort to compare with
    config_version varchar,
    lake_snapshot bigint
);
alter table user_magnetism_index set partitioned by (year(as_of), month(as_of), day(as_of));

-- One row per scoring run: what the next incremental run starts from.
create table score_run (
    as_of timestamp,
    config_version varchar,
    lake_snapshot bigint,
    mode varchar,                    -- full, incremental
    users_scored bigint,
    users_recomputed bigint
);

-- Which people a publish touched, so that an incremental run can follow.
create table touched_user (
    batch_id varchar,
    user_id uuid
);

create table ingest_batch (
    batch_id varchar,
    source varchar,
    file_name varchar,
    file_digest varchar,
    accepted bigint,
    duplicates bigint,
    withheld bigint,
    rejected bigint,
    first_event_at timestamp,
    last_event_at timestamp
);

create table classification (
    version varchar                  -- of the taxonomy and channel rules that user_event was typed by
);

create table ingest_watermark (
    last_seq bigint                  -- the newest inbox row that the lake holds
);

create table mv_daily_funnel (
    day date,
    ad_clicks bigint,
    landing_views bigint,
    emails_captured bigint,
    enrichments bigint,
    trials bigint,
    purchases bigint,
    reactivations bigint,
    click_to_landing_rate double,
    landing_to_email_rate double,
    email_to_trial_rate double,
    trial_to_purchase_rate double
);

create table mv_user_magnetism_7d (
    user_id uuid,
    as_of timestamp,
    magnetism_index double,
    band varchar,
    risk_level varchar,
    churn_risk bigint,
    recommendations varchar[]
);

create table mv_user_magnetism_30d (
    user_id uuid,
    as_of timestamp,
    magnetism_index double,
    band varchar,
    risk_level varchar,
    churn_risk bigint,
    recommendations varchar[]
);

create table mv_persona_performance (
    persona varchar,
    users bigint,
    trial_rate double,
    purchase_rate double,
    avg_days_to_trial double,
    avg_magnetism double
);
