-- What a look at one person reads, so that none has to go through what was stored for everybody.

-- One row per person: all that the newest scoring says of them. What it says is one document, since
-- a look at one row unpacks a group of rows of each column.
create table mv_person (
    user_bucket utinyint,            -- as in user_event
    user_id uuid,
    as_of timestamp,
    config_version varchar,
    lake_snapshot bigint,
    answer json                      -- the other columns of scores/mv_person.sql, and former_ids
);

-- One row per person and UTC day with a scoring, of its last one: what trends and forecasts go by.
-- The newest scoring is in mv_person alone until there is one of a later day.
create table user_score_day (
    user_bucket utinyint,            -- as in user_event
    user_id uuid,
    as_of timestamp,
    score double,
    level varchar,
    persona varchar,
    magnetism_7d double,
    magnetism_30d double
);
alter table user_score_day set partitioned by (year(as_of), month(as_of));
alter table user_score_day set sorted by (user_id, as_of);

insert into user_score_day
with
last_of_day as (
    select max(as_of) as as_of
    from score_run
    group by as_of::date
),
magnetism as (
    select
        user_id,
        as_of,
        max(magnetism_index) filter (time_window = '7d') as magnetism_7d,
        max(magnetism_index) filter (time_window = '30d') as magnetism_30d
    from user_magnetism_index
    semi join last_of_day using (as_of)
    group by user_id, as_of
)
select
    bucket_of(intent.user_id) as user_bucket,
    intent.user_id,
    intent.as_of,
    intent.score,
    intent.level,
    intent.persona,
    magnetism.magnetism_7d,
    magnetism.magnetism_30d
from user_intent_score as intent
inner join magnetism using (user_id, as_of)
order by intent.user_id, intent.as_of;

-- What markov goes by over everybody, as of the newest scoring: the removal effect of each channel.
-- One row without a channel says that the model abstained.
create table removal_effect (
    as_of timestamp,
    config_version varchar,          -- of its rules: lookback, transform, order …
    days integer,                    -- before as_of, of the conversions that the chain is made of
    channel varchar,
    removal_effect double            -- share of the conversions that the chain loses without it
);
