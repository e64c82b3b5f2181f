-- Definitions that were proposed, each with what it says otherwise than the files and why.
create table config_proposal (
    version varchar(16) primary key,   -- of the definitions that it made when it was proposed
    based_on varchar(16) not null,     -- of those that were in force then
    changes text not null,             -- as an overlay, in JSON
    evidence text,                     -- what speaks for it, in JSON
    author text not null,
    reason text not null,
    proposed_at timestamp not null
);

-- What was put in force, one after the other; the newest holds.
create table config_activation (
    number bigint generated always as identity primary key,
    version varchar(16),               -- of a proposal; null: the files alone
    is_rollback integer not null,      -- 1: it takes the one before it back
    activated_by text not null,
    reason text not null,
    activated_at timestamp not null
);
