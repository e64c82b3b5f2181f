-- The state's tables, in the SQL that SQLite and PostgreSQL share. Times are UTC, ids of people are uuid text.
-- state.py puts SQLite's wording in the place of `bigint generated always as identity primary key`.

create table schema_version (version integer not null);

create table workspace_meta (
    name varchar(64) primary key,
    value text not null
);

create table inbox (
    seq bigint generated always as identity primary key,
    event_id varchar(36) not null unique,
    received_at timestamp not null,
    body text not null               -- one event as JSON, past the privacy door
);

create table persona_bucket (
    slug varchar(64) primary key,
    position integer not null,
    label text not null,
    description text not null,
    intent_level varchar(16) not null,
    traits text not null             -- JSON list
);

create table user_persona (
    user_id varchar(36) not null,
    slug varchar(64) not null references persona_bucket (slug),
    confidence double precision not null check (confidence between 0 and 1),
    source varchar(32) not null check (source in ('manual', 'ai_enrichment', 'behavior_analysis')),
    assigned_at timestamp not null,
    superseded_at timestamp          -- null: in force
);
create unique index user_persona_in_force on user_persona (user_id) where superseded_at is null;
create index user_persona_of on user_persona (user_id, assigned_at);

create table user_identity (
    user_id varchar(36) primary key,
    status varchar(24) not null,
    trigger_event varchar(64),
    tries integer not null default 0,
    next_try_at timestamp,
    error text,
    lease_token varchar(36),
    lease_expires_at timestamp,
    email_encrypted text,
    email_hash varchar(64),
    email_domain text,
    social_profiles text,            -- JSON
    company_name text,
    company_domain text,
    company_industry text,
    company_size integer,
    company_location text,
    cost_micros bigint not null default 0,  -- millionths of a dollar: a call costs less than a cent
    enriched_at timestamp
);

create table enrichment_call (
    call_id varchar(36) primary key,
    user_id varchar(36) not null,
    provider varchar(32) not null,
    model text,
    input_tokens integer,
    output_tokens integer,
    cost_micros bigint,              -- millionths of a dollar
    latency_ms integer,
    status varchar(24) not null,
    is_cached integer not null default 0,
    request_id text,
    called_at timestamp not null
);

create table scoring_config (
    version varchar(16) primary key,
    body text not null,              -- the definitions, as JSON
    author text not null,
    reason text not null,
    created_at timestamp not null,
    is_active integer not null default 0
);
create unique index scoring_config_active on scoring_config (is_active) where is_active = 1;
