-- The enrichment: what a lead waits for, what each step gave, and what each call cost or may have.

alter table user_identity add column lead_id varchar(36);   -- of one address of the person
alter table user_identity add column queued_at timestamp;
alter table user_identity add column ended_at timestamp;    -- completed, failed for good or cancelled
alter table user_identity add column name_hash varchar(64);
alter table user_identity add column is_partial integer not null default 0;
alter table user_identity add column for_batch integer not null default 0;
create unique index user_identity_lead on user_identity (lead_id);
create unique index user_identity_lease on user_identity (lease_token);
create index user_identity_due on user_identity (next_try_at, user_id)
where status in ('pending', 'failed');
create index user_identity_held on user_identity (lease_expires_at) where status = 'processing';
create index user_identity_waiting on user_identity (queued_at, user_id) where status = 'waiting';
create index user_identity_email on user_identity (email_hash);

alter table enrichment_call add column lead_id varchar(36);
alter table enrichment_call add column step varchar(16);
alter table enrichment_call add column most_micros bigint;  -- held until the cost is known
alter table enrichment_call add column error text;
alter table enrichment_call add column batch_key varchar(36);
alter table enrichment_call add column settled_at timestamp;
create index enrichment_call_rate on enrichment_call (provider, called_at)
where batch_key is null and is_cached = 0;
create index enrichment_call_person on enrichment_call (user_id);
create index enrichment_call_lead on enrichment_call (lead_id, step);
create index enrichment_call_batch on enrichment_call (batch_key) where batch_key is not null;
create index enrichment_call_open on enrichment_call (called_at) where cost_micros is null;

create table enrichment_step (
    lead_id varchar(36) not null,
    step varchar(16) not null,
    source varchar(16) not null,     -- paid, cache, local, rules or skipped
    reason varchar(32),              -- why nobody was paid, or how the call ended
    provider varchar(32) not null,
    answer text,                     -- JSON
    error text,
    done_at timestamp not null,
    primary key (lead_id, step)
);

create table company_profile (
    domain varchar(255) primary key,
    facts text,                      -- JSON: value, source_url, snippet, is_supported by name
    provider varchar(32),
    fetched_at timestamp,
    good_until timestamp,
    claim_token varchar(36),         -- of the one who is asking
    claim_expires_at timestamp
);

create table enrichment_day (
    day varchar(10) primary key,     -- UTC
    committed_micros bigint not null -- spent, and held for calls of unknown cost
);

create table enrichment_provider (
    provider varchar(32) primary key,
    failures integer not null default 0,
    down_until timestamp,            -- go on without it
    shut_until timestamp,            -- its account can't be used: stop
    paused_until timestamp,          -- wait for it
    reason text
);

create table enrichment_batch (
    batch_key varchar(36) primary key,
    provider_batch_id varchar(64),
    status varchar(16) not null,
    created_at timestamp not null
);
