-- What the watch found, whom it told of what, and of whose churn risk a service was told.

create table alert (
    name varchar(64) primary key,    -- of the check
    status varchar(16) not null,     -- ok, warning, alert or unknown
    since timestamp not null,        -- of that status
    seen_at timestamp not null,      -- by the newest watch
    well_runs integer not null       -- watches in a row that found it well
);

create table alert_change (
    name varchar(64) not null,
    changed_at timestamp not null,
    status varchar(16) not null,     -- from then on
    value double precision,
    primary key (name, changed_at)
);

create table alert_notice (
    channel varchar(36) not null,    -- keyed hash of its address
    name varchar(64) not null,
    status varchar(16) not null,     -- as the channel was told last
    notified_at timestamp not null,
    primary key (channel, name)
);

-- Who is sending just now, so that nobody else does.
create table sending (
    name varchar(64) primary key,    -- of what is sent, and to whom
    token varchar(36) not null,
    expires_at timestamp not null
);

-- One row per person whose churn risk has crossed the limit, until it is low again.
create table churn_notice (
    user_id varchar(36) primary key,
    crossed_at timestamp not null,   -- the scoring that was found to be at the limit
    risk integer not null,
    risk_before integer,
    batch_id varchar(36),            -- of the webhook; the same over all its tries
    sent_at timestamp                -- null: not told of yet
);
create index churn_notice_batch on churn_notice (batch_id);
