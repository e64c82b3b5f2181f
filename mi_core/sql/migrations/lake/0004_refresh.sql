-- What makes a refresh cheap.

-- Over everybody's paths, as of the newest scoring: how many took which step of the chain that
-- removal effects are of. People who changed are taken out and put in again.
create table chain_step (
    as_of timestamp,
    config_version varchar,
    days integer,                    -- as in removal_effect
    lake_snapshot bigint,
    from_keys varchar[],             -- the state: its keys, the newest first; nulls before the first
    to_key varchar,
    ends_as varchar,                 -- conversion or null, where it leads to no key
    times bigint
);
