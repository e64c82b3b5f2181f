-- The scoring that the cohorts, and with them the features, are of: a look at one person reads both.
delete from magnetism_cohort;
alter table magnetism_cohort add column as_of timestamp;
alter table magnetism_cohort add column config_version varchar;
alter table magnetism_cohort add column lake_snapshot bigint;
